//! An instant as people in the town live it.

use jiff::tz::TimeZone;
use schemas::Time;
use std::f64::consts::TAU;

/// Local clock and calendar of an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// The instant.
    pub(super) time: Time,
    /// Hours since local midnight, 0 to 24.
    pub(super) hour: f64,
    /// Saturday or Sunday.
    pub(super) weekend: bool,
    /// 1 in mid-January, -1 in mid-July.
    pub(super) winter: f64,
}

impl Moment {
    /// The local moment of an instant.
    pub(super) fn at(time: Time, zone: &TimeZone) -> Moment {
        let stamp = jiff::Timestamp::from_microsecond(time.0).unwrap_or_default();
        let local = zone.to_datetime(stamp);
        let hour = f64::from(local.hour()) + f64::from(local.minute()) / 60.0 + f64::from(local.second()) / 3600.0;
        let weekend = local.weekday().to_monday_zero_offset() >= 5;
        let winter = (TAU * (f64::from(local.day_of_year()) - 15.0) / 365.0).cos();
        Moment { time, hour, weekend, winter }
    }

    /// A bell around an hour of the day, 1 at its top.
    pub(super) fn bell(&self, top: f64, width: f64) -> f64 {
        let away = (self.hour - top + 36.0).rem_euclid(24.0) - 12.0;
        (-(away / width).powi(2)).exp()
    }

    /// How much the town is on the move, 0 to 1: two rush hours on working days, one slow hump at weekends, quiet nights.
    pub(super) fn bustle(&self) -> f64 {
        let day = 0.45 * self.bell(13.0, 5.5);
        if self.weekend {
            return 0.03 + 0.5 * self.bell(14.5, 4.5) + 0.2 * self.bell(19.0, 2.5);
        }
        (0.03 + day + 0.5 * self.bell(7.4, 1.1) + 0.52 * self.bell(15.9, 1.5)).min(1.0)
    }

    /// How full places of work and school are, 0 to 1: with arrival, lunch and leaving, shifted by `shift` hours.
    pub(super) fn working(&self, shift: f64) -> f64 {
        let hour = self.hour - shift;
        if self.weekend || !(7.0..18.0).contains(&hour) {
            return 0.0;
        }
        let (arrived, left) = (((hour - 7.0) / 1.5).clamp(0.0, 1.0), ((18.0 - hour) / 2.5).clamp(0.0, 1.0));
        arrived * left * (1.0 - 0.4 * self.bell(12.3 + shift, 0.6))
    }
}

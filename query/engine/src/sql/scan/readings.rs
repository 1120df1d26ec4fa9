//! A dataset's readings: raw, late, sealed and hot rows merged by key, some days at a time.

use super::Pieces;
use crate::sql::ground::{Ground, failed};
use crate::sql::message::{Failure, Rows, Scan, ToWorker};
use schemas::{Day, Span, Time};
use store::{Loaded, SensorIx, Series, Snapshot};

/// Values of a piece, its keys included, at most.
const PIECE: usize = 1 << 19;
/// Rows of a piece at most.
const PIECE_ROWS: usize = 1 << 16;
/// Stored rows whose columns are held at once; a day is never divided.
const CHUNK: u64 = 1 << 19;

/// What is wanted of the rows.
struct Wanted {
    /// Whether the sensor is.
    sensor: bool,
    /// Whether the instant is.
    time: bool,
    /// The fields.
    fields: Vec<usize>,
    /// The sensors, each once; all if nothing.
    sensors: Option<Vec<SensorIx>>,
}

/// Sends them.
pub(super) async fn send(scan: &Scan, ground: &Ground, pieces: &Pieces) -> Result<(), Failure> {
    let snapshot = ground.snapshot(&scan.table)?;
    let wanted = Wanted::of(scan, &snapshot);
    if wanted.sensor {
        pieces.tell(&ToWorker::Names { scan: scan.scan, ids: wanted.names(&snapshot) }).await?;
    }
    let whole = Span { from: Time(scan.from.unwrap_or(i64::MIN)), to: Time(scan.to.unwrap_or(i64::MAX)) };
    let mut left = scan.limit.unwrap_or(u64::MAX);
    let mut days = &*snapshot.days(whole);
    while let Some(first) = days.first().filter(|_| left > 0) {
        let count = chunk(days, |day| snapshot.rows_at_most(day.span()));
        let last = days[count - 1];
        days = &days[count..];
        let span = Span { from: whole.from.max(first.start()), to: whole.to.min(last.span().to) };
        let loaded = {
            let _turn = ground.turn().await?;
            snapshot.load(span, wanted.sensors.as_deref(), &wanted.fields).await.map_err(failed)?
        };
        let mut walk = Walk { sensors: loaded.sensors(), loaded, at: 0, from: 0 };
        while left > 0 {
            let rows = {
                let _turn = ground.turn().await?;
                walk.next(&wanted, left, scan.scan)
            };
            if rows.rows == 0 {
                break;
            }
            left -= u64::from(rows.rows);
            ground.spend(u64::from(rows.rows))?;
            pieces.send(&ToWorker::Rows(rows)).await?;
        }
    }
    Ok(())
}

/// How many days from the first on are read together: one at least, more while they have few rows.
fn chunk(days: &[Day], rows: impl Fn(Day) -> u64) -> usize {
    let mut sum = 0;
    let more = days.iter().take_while(|day| {
        sum += rows(**day);
        sum <= CHUNK
    });
    more.count().max(1)
}

impl Wanted {
    fn of(scan: &Scan, snapshot: &Snapshot) -> Wanted {
        let fields = scan.columns.iter().filter_map(|column| column.checked_sub(2)).collect();
        let sensors = scan.sensors.as_ref().map(|ids| {
            let mut sensors: Vec<SensorIx> = ids.iter().filter_map(|id| snapshot.sensor(id)).collect();
            sensors.sort_unstable();
            sensors.dedup();
            sensors
        });
        Wanted { sensor: scan.columns.contains(&0), time: scan.columns.contains(&1), fields, sensors }
    }

    /// Ids of the sensors, in the order by which runs name them.
    fn names(&self, snapshot: &Snapshot) -> Vec<String> {
        let ids = &snapshot.sensors.ids;
        match &self.sensors {
            None => ids.iter().map(|id| id.to_string()).collect(),
            Some(sensors) => sensors.iter().map(|&sensor| ids[sensor as usize].to_string()).collect(),
        }
    }

    /// A sensor's place among the names.
    fn place(&self, sensor: SensorIx) -> u32 {
        match &self.sensors {
            None => sensor,
            Some(sensors) => sensors.partition_point(|&other| other < sensor) as u32,
        }
    }

    /// No rows yet.
    fn piece(&self, scan: u32) -> Rows {
        Rows { scan, columns: vec![Vec::new(); usize::from(self.time) + self.fields.len()], ..Rows::default() }
    }

    /// Rows a piece may have.
    fn most(&self) -> usize {
        match usize::from(self.time) + self.fields.len() {
            // Only their number is told.
            0 if !self.sensor => u32::MAX as usize,
            columns => (PIECE / (columns + 1)).min(PIECE_ROWS),
        }
    }
}

/// A walk over what was loaded, sensor by sensor.
struct Walk {
    loaded: Loaded,
    sensors: Vec<SensorIx>,
    /// The sensor that is next.
    at: usize,
    /// The row of its series that is next.
    from: usize,
}

impl Walk {
    /// The next piece, of no more than `limit` rows; an empty one when there are no more.
    fn next(&mut self, wanted: &Wanted, limit: u64, scan: u32) -> Rows {
        let mut piece = wanted.piece(scan);
        let most = wanted.most().min(usize::try_from(limit).unwrap_or(usize::MAX));
        while let Some(&sensor) = self.sensors.get(self.at)
            && (piece.rows as usize) < most
        {
            let room = most - piece.rows as usize;
            let (from, mut more) = (self.from, false);
            let mut taken = 0;
            self.loaded.series(sensor, &mut |series| {
                taken = room.min(series.time.len() - from);
                more = from + taken < series.time.len();
                add(&mut piece, wanted, &series, from, taken);
            });
            piece.rows += taken as u32;
            if wanted.sensor && taken > 0 {
                piece.runs.push((wanted.place(sensor), taken as u32));
            }
            (self.at, self.from) = if more { (self.at, from + taken) } else { (self.at + 1, 0) };
        }
        piece
    }
}

/// Adds some rows of a series.
fn add(piece: &mut Rows, wanted: &Wanted, series: &Series<'_>, from: usize, rows: usize) {
    let time = wanted.time.then_some(series.time);
    for (to, values) in piece.columns.iter_mut().zip(time.into_iter().chain(series.columns.iter().copied())) {
        to.extend_from_slice(&values[from..from + rows]);
    }
}

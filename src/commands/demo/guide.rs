//! What the demo tells the person who started it: where to look, what to try, how to stop.

use super::folder::Folder;
use super::history::Filled;
use crate::console;
use std::net::SocketAddr;

/// Said as soon as the doors are open.
pub(super) fn greet(folder: &Folder, http: SocketAddr, mqtt: SocketAddr) {
    let stays = if folder.stays() { "stays for the next time" } else { "goes away at the end" };
    let (ip, port) = (mqtt.ip(), mqtt.port());
    // Under `cargo run` the program is not on the path: say it as it was called.
    let called = std::env::args_os().next().unwrap_or_else(|| "lamppost".into());
    let program = called.to_string_lossy();
    console::say(format!(
        "\
A town of 300 sensors is awake. A week of its history is being filled in; live readings arrive by MQTT.

  http door: http://{http}
  mqtt door: mqtt://{mqtt}

Look around:
  portal                     http://{http}/
  what there is              http://{http}/api/v1/datasets
  one crossing, by hour      http://{http}/api/v1/datasets/traffic/aggregates?sensor=x01-north&from=now-1d&bucket=1h&fields=vehicles_sum,speed_mean
  CO2 by floor, by day       http://{http}/api/v1/datasets/air_quality/aggregates?from=now-7d&bucket=day&fields=co2_mean,co2_max&group=floor
  newest of all car parks    http://{http}/api/v1/datasets/parking/latest
  the weather as CSV         http://{http}/api/v1/datasets/weather/readings?sensor=mast-01&from=now-3h&format=csv
  metrics                    http://{http}/metrics
  what was rejected, and why {program} status --url http://{http}

Be a device (the answer shows it at once):
  mosquitto_pub -h {ip} -p {port} -q 1 -t city/my-balcony/weather -m \"{{\\\"ts\\\":\\\"$(date -u +%FT%TZ)\\\",\\\"temperature\\\":21.5}}\"
  curl 'http://{http}/api/v1/datasets/weather/latest?sensor=my-balcony'

Its data is in {} and {stays}. Ctrl-C ends it.
",
        folder.path().display()
    ));
}

/// Said when the past is complete.
pub(super) fn filled(filled: &Filled) {
    if filled.messages > 0 {
        let (messages, seconds) = (console::count(filled.messages), filled.took.as_secs_f64());
        console::say(format!("The past is filled in: {messages} messages in {seconds:.1} s."));
    }
}

//! Questions in SQL: how long they take, and what they do to those who publish meanwhile.

use crate::config::config;
use crate::load::{CONNECTIONS, Lane, Load};
use crate::server::{Server, file_rows, folder, is_quiet, repository};
use crate::table::{Column, Table, quantile};
use crate::web::Web;
use crate::{device, note, say};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Rounds of all sensors that are filed before: a million readings.
const FILED: usize = 500;
/// Seconds of each phase.
const SECONDS: u64 = 30;
/// Messages a second of each connection; in a town of 2,000 sensors that send each minute it would be half of one.
const RATE: u32 = 12;
/// How often each question is timed.
const TIMES: usize = 15;

/// `ms`: median from the first byte of the question to the last of the answer.
const TAKEN: [Column; 3] = [("ms", 1), ("p90", 1), ("max", 1)];

/// Ack: ms from the moment a message was due until its PUBACK. Health: ms of a GET.
const PACE: [Column; 7] = [
    ("ack p50", 1),
    ("ack p99", 1),
    ("ack max", 1),
    ("health p50", 1),
    ("health p99", 1),
    ("asked", 0),
    ("answered", 0),
];

/// What is timed, and the nearest that REST can do.
const QUESTIONS: [(&str, &str); 8] = [
    ("SELECT 1", "/api/v1/sql?q=SELECT+1"),
    ("count(*)", "/api/v1/sql?q=SELECT+count(*)+FROM+traffic"),
    (
        "one sensor's day",
        "/api/v1/sql?q=SELECT+*+FROM+traffic+WHERE+sensor='bench-0007'+AND+time%3Enow()-INTERVAL+'1+day'",
    ),
    ("  the same by REST", "/api/v1/datasets/traffic/readings?sensor=bench-0007&from=now-1d&limit=1000"),
    ("mean by sensor", "/api/v1/sql?q=SELECT+sensor,avg(vehicles)+AS+mean+FROM+traffic+GROUP+BY+sensor"),
    ("  the same by REST", "/api/v1/datasets/traffic/aggregates?bucket=year&from=now-7d&fields=vehicles_mean&tz=UTC"),
    (
        "sum by hour",
        "/api/v1/sql?q=SELECT+date_trunc('hour',time)+AS+hour,sum(vehicles)+AS+sum+FROM+traffic+GROUP+BY+1",
    ),
    (
        "  the same by REST",
        "/api/v1/datasets/traffic/aggregates?bucket=1h&from=now-7d&group=none&fields=vehicles_sum&tz=UTC",
    ),
];

/// Questions as people ask them.
const USUAL: [&str; 3] = [
    "SELECT sensor, avg(speed) AS speed FROM traffic WHERE time > now() - INTERVAL '1 hour' GROUP BY sensor",
    "SELECT date_trunc('hour', time) AS hour, sum(vehicles) AS sum FROM traffic GROUP BY 1 ORDER BY 1",
    "SELECT * FROM traffic WHERE sensor = 'bench-0007' ORDER BY time DESC LIMIT 100",
];

/// Questions nobody should ask.
const ABUSE: [&str; 4] = [
    "SELECT count(*) FROM traffic a JOIN traffic b ON a.bicycles = b.bicycles",
    "SELECT string_agg(sensor, ',') FROM traffic",
    "SELECT * FROM traffic ORDER BY speed, vehicles, time",
    "SELECT max(r) FROM (SELECT rank() OVER (ORDER BY speed, vehicles, time) AS r FROM traffic) x",
];

/// Measures and prints.
pub(crate) fn measure() {
    let folder = folder();
    let mut server = Server::start(&config(folder.path(), &repository("schemas/datasets"), None));
    let (door, host) = (server.mqtt(), server.web.host().to_owned());
    let phase = (CONNECTIONS as u64 * u64::from(RATE) * SECONDS).div_ceil(crate::load::SENSORS as u64) as usize;
    note(&format!("sql, filing {FILED} rounds"));
    let past = Arc::new(Load::before(3 * phase, FILED));
    device::send(door, &past, 100);
    let rows = past.messages as u64;
    server.wait("quiet", |status| is_quiet(status) && file_rows(status) == rows);
    times(&mut server);
    let mut table = Table::new(format!("{} messages a second, {SECONDS} s each", RATE as usize * CONNECTIONS), &PACE);
    for (number, (name, questions, callers)) in
        [("no question", &[][..], 0), ("SQL as usual", &USUAL[..], 2), ("SQL abused", &ABUSE[..], 8)]
            .into_iter()
            .enumerate()
    {
        note(&format!("sql, {name}"));
        let load = Load::before((2 - number) * phase, phase);
        table.add(name, pace(door, &host, &load, questions, callers));
    }
    table.print();
    say(&format!("{rows} readings filed before; one message a PUBLISH, QoS 1, flush age 5 s"));
}

/// Times questions.
fn times(server: &mut Server) {
    let mut table = Table::new(format!("{} readings, filed", FILED * crate::load::SENSORS), &TAKEN);
    for (at, (name, path)) in QUESTIONS.iter().enumerate() {
        // The first finds no worker, or no columns in memory; REST is asked with a limit that changes nothing but its cache's key.
        let mut taken: Vec<f64> = (0..=TIMES)
            .map(|n| match path.contains("aggregates") {
                true => server.web.timed(&format!("{path}&limit={}", 400_000 - n)).0,
                false => server.web.timed(path).0,
            })
            .map(|took| took.as_secs_f64() * 1e3)
            .skip(1)
            .collect();
        // Rows of one name would be one row.
        let row = if name.starts_with(' ') { format!("{name} ({})", QUESTIONS[at - 1].0) } else { (*name).to_owned() };
        let figures = [0.5, 0.9, 1.0].map(|part| quantile(&mut taken, part));
        table.add(&row, figures.to_vec());
    }
    table.print();
}

/// Publishes at a steady pace while so many callers ask; the figures of [`PACE`].
fn pace(door: SocketAddr, host: &str, load: &Load, questions: &[&str], callers: usize) -> Vec<f64> {
    let stop = AtomicBool::new(false);
    let (mut acks, mut health, told) = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..callers)
            .map(|n| {
                scope.spawn({
                    let stop = &stop;
                    move || ask(host, questions, n, stop)
                })
            })
            .collect();
        let looking = scope.spawn(|| look(host, &stop));
        let start = Instant::now() + Duration::from_millis(200);
        let publishing: Vec<_> =
            load.lanes.iter().enumerate().map(|(n, lane)| scope.spawn(move || publish(door, lane, n, start))).collect();
        let acks: Vec<f64> = publishing.into_iter().flat_map(|lane| lane.join().expect("a publisher")).collect();
        stop.store(true, Ordering::Relaxed);
        let told: Vec<(u64, u64)> = asking.into_iter().map(|asking| asking.join().expect("a caller")).collect();
        (acks, looking.join().expect("a look"), told)
    });
    let (asked, answered) = told.iter().fold((0, 0), |sum, told| (sum.0 + told.0, sum.1 + told.1));
    let ack = [0.5, 0.99, 1.0].map(|part| quantile(&mut acks, part));
    let health = [0.5, 0.99].map(|part| quantile(&mut health, part));
    [&ack[..], &health[..], &[asked as f64, answered as f64]].concat()
}

/// Sends a lane's messages when they are due; milliseconds from then until each was acknowledged.
fn publish(door: SocketAddr, lane: &Lane, number: usize, start: Instant) -> Vec<f64> {
    let mut stream = TcpStream::connect(door).expect("a door that listens");
    stream.set_nodelay(true).expect("nodelay");
    let name = format!("paced-{number:02}");
    let connect =
        [&[0x10, (12 + name.len()) as u8, 0, 4][..], b"MQTT\x04\x02\0\0", &[0, name.len() as u8], name.as_bytes()];
    stream.write_all(&connect.concat()).expect("CONNECT");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("CONNACK");
    let due = |message: usize| {
        let shift = Duration::from_secs(1) / RATE * number as u32 / CONNECTIONS as u32;
        start + shift + Duration::from_secs(1) / RATE * message as u32
    };
    let mut sending = stream.try_clone().expect("a second handle");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut begin = 0;
            for (message, &end) in lane.ends.iter().enumerate() {
                crate::process::pause(due(message).saturating_duration_since(Instant::now()));
                sending.write_all(&lane.bytes[begin..end]).expect("a door that reads");
                begin = end;
            }
        });
        let acked = |message: usize| {
            stream.read_exact(&mut answer).expect("PUBACK");
            Instant::now().saturating_duration_since(due(message)).as_secs_f64() * 1e3
        };
        (0..lane.ends.len()).map(acked).collect()
    })
}

/// Asks in turn until told to stop: questions asked and answered.
fn ask(host: &str, questions: &[&str], number: usize, stop: &AtomicBool) -> (u64, u64) {
    let (mut asked, mut answered) = (0, 0);
    for sql in questions.iter().cycle().skip(number) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut stream = TcpStream::connect(host).expect("an HTTP door that listens");
        let head = "Content-Type: application/sql\r\nConnection: close\r\n";
        let request =
            format!("POST /api/v1/sql HTTP/1.0\r\nHost: {host}\r\n{head}Content-Length: {}\r\n\r\n{sql}", sql.len());
        stream.write_all(request.as_bytes()).expect("request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answer");
        asked += 1;
        answered += u64::from(answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"));
    }
    (asked, answered)
}

/// Milliseconds of each GET of `/health` until told to stop.
fn look(host: &str, stop: &AtomicBool) -> Vec<f64> {
    let mut web = Web::new(host);
    let mut taken = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        taken.push(web.timed("/health").0.as_secs_f64() * 1e3);
        crate::process::pause(Duration::from_millis(20));
    }
    taken
}

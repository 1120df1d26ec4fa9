//! Whatever is asked, and however: each question has its answer or its problem in its time, and afterwards the server is as
//! it was. Readings flow all the while.

use super::flow::Flow;
use super::place::{Place, Told, ask, begin, figure};
use crate::cli::program::{PATIENCE, Server, wait};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Seconds a question may take in these tests.
const SECONDS: u64 = 2;
/// What the rest of the machine may add to a question's time: tests share it with others.
const SLACK: Duration = Duration::from_secs(8);
/// Bytes the server may have resident in the end.
const CEILING: u64 = 600 << 20;

/// Refusals before anything is read.
const REFUSED: &[&str] =
    &["sql-syntax", "sql-statement", "sql-table", "sql-column", "sql-function", "sql-types", "sql-value", "too-much"];
/// Ends of questions that go wrong only while they run; some are no harm after all.
const STOPPED: &[&str] = &["timeout", "memory", "too-much", "sql-statement", "answered"];

/// A town with 200,000 filed readings of five sensors, and one that publishes.
struct Town {
    place: Place,
    server: Server,
    http: String,
}

impl Town {
    fn new() -> Town {
        let bounds = format!("sql.seconds = {SECONDS}\nsql.memory = \"256MiB\"\nsql.waiting = 4\nsql.workers = 1\n");
        let place = Place::new(&format!("{bounds}sql.idle = \"2s\"\nflush.age = \"2s\"\n"));
        place.import(&place.csv("past.csv", (0..200_000).map(|n| row(n, 1_759_000_000))));
        let mut server = place.serve();
        let http = server.http();
        Town { place, server, http }
    }

    fn flow(&mut self) -> Flow {
        let rows = (0..50_000).map(|n| row(n, 1_760_000_000));
        Flow::start(&self.place.csv("now.csv", rows), &self.http, &self.server.mqtt())
    }

    fn ask(&self, sql: impl AsRef<[u8]>) -> Told {
        ask(&self.http, sql)
    }

    /// Workers there are now, as the kernel knows them.
    fn children(&self) -> Vec<PathBuf> {
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let parent = |path: &PathBuf| {
            let stat = std::fs::read_to_string(path.join("stat")).ok()?;
            stat.rsplit(") ").next()?.split(' ').nth(1)?.parse::<u32>().ok()
        };
        processes.filter(|path| parent(path) == Some(self.server.id())).collect()
    }

    /// Checks that nothing of the abuse is left, and ends the server.
    fn check_calm(self, flow: Flow) {
        wait(PATIENCE, || self.children().is_empty().then_some(()));
        for name in ["running", "waiting", "workers"] {
            assert_eq!(figure(&self.http, &format!("lamppost_sql_{name}")), 0.0, "{name}");
        }
        let told = self.ask("SELECT count(*) AS n FROM town");
        assert!(told.rows()[0]["n"].as_u64() > Some(200_000), "{}", told.body);
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim();
        let kibibytes: u64 = resident.trim_end_matches(" kB").parse().unwrap();
        assert!(kibibytes << 10 < CEILING, "the server has {resident} resident");
        let calm = flow.end();
        assert!(calm.acked > 20 && calm.acks < Duration::from_secs(5), "{calm:?}");
        assert!(calm.health < Duration::from_secs(2), "{calm:?}");
        assert_eq!(self.server.stop().code, Some(0));
    }
}

/// Texts that are too large, one way or another.
fn large() -> Vec<String> {
    let joins: String = (1..40).map(|n| format!(" JOIN town t{n} ON t{n}.time = t0.time")).collect();
    vec![
        format!("SELECT 1{}", times(2000, "+1")),
        format!("SELECT 1{}", times(7000, "+1")),
        format!("SELECT count(*) FROM town WHERE cars=0{}", times(1500, " OR cars=1")),
        format!("SELECT count(*) FROM town WHERE cars=0{}", times(20_000, " OR cars=1")),
        format!("SELECT {}1{}", times(5000, "("), times(5000, ")")),
        format!("SELECT {}1{}", times(500, "abs("), times(500, ")")),
        format!("SELECT {}1{}", times(300, "CASE WHEN true THEN "), times(300, " END")),
        format!("SELECT {}1", times(5000, "- ")),
        format!("SELECT {}true", times(3000, "NOT ")),
        format!("SELECT * FROM {}town{}", times(300, "(SELECT * FROM "), times(300, ")")),
        format!("SELECT cars FROM town WHERE cars IN (0{})", times(5000, ",1")),
        format!("SELECT cars FROM town WHERE cars IN (0{})", times(100_000, ",1")),
        format!("SELECT 1{}", times(500, " UNION ALL SELECT 1")),
        format!("SELECT * FROM town t0{joins}"),
        format!("SELECT '{}'", times(15_000, "x")),
        format!("SELECT {}", times(4000, "town.")),
        format!("VALUES {}(1)", times(5000, "(1),")),
        format!("SELECT 1 {}", times(300_000, " ")),
        doubling(12),
    ]
}

/// Statements that are no question, or one that nobody may ask.
const MISCHIEF: &[&str] = &[
    // Functions that make much out of little.
    "SELECT length(repeat('x', 2000000000))",
    "SELECT lpad('x', 1000000000, 'y')",
    "SELECT rpad('x', 1000000000, 'y')",
    "SELECT array_repeat(1, 500000000)",
    "SELECT array_resize([1], 500000000, 1)",
    "SELECT range(0, 300000000)",
    "SELECT count(*) FROM generate_series(1, 1000000000000)",
    "SELECT * FROM range(1000000000000)",
    "EXPLAIN SELECT length(repeat('x', 500000000))",
    // Joins without an end.
    "SELECT count(*) FROM town a, town b, town c",
    "SELECT count(*) FROM town a CROSS JOIN town b",
    "SELECT count(*) FROM town a JOIN town b ON a.time < b.time",
    "SELECT count(*) FROM town a JOIN town b ON true",
    "SELECT count(*) FROM town a JOIN town b ON 1 = 1",
    "SELECT count(*) FROM town a NATURAL JOIN LATERAL (SELECT * FROM town b WHERE b.time > a.time) c",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    // Statements that are no question.
    "COPY town TO '/tmp/stolen.csv'",
    "COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "SET datafusion.execution.batch_size = 1000000000",
    "EXPLAIN ANALYZE SELECT count(*) FROM town",
    "CREATE EXTERNAL TABLE f STORED AS CSV LOCATION '/etc/passwd'",
    "CREATE TABLE t AS SELECT * FROM town",
    "CREATE VIEW v AS SELECT 1",
    "INSERT INTO town SELECT * FROM town",
    "UPDATE town SET cars = 0",
    "DELETE FROM town",
    "DROP TABLE town",
    "TRUNCATE town",
    "SHOW TABLES",
    "SHOW ALL",
    "DESCRIBE town",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE town",
    "SELECT * INTO stolen FROM town",
    "SELECT * FROM town FOR UPDATE",
    "BEGIN",
    "GRANT ALL ON town TO public",
    // Files and the inside.
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "SELECT * FROM 'town.parquet'",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.df_settings",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT version()",
    "SELECT * FROM http_get('http://169.254.169.254/')",
    // Nonsense.
    "SELECT \0 FROM town",
    "SELECT 'a\0b' FROM twon",
    "SELECT '",
    "SELECT \"",
    "SELECT $$",
    "SELECT /* ",
    "-- nothing",
    ";;;",
    "SELECT \u{202e}1 FRОM town",
    "SELECT * FROM nowhere",
    "SELECT nothing FROM town",
    "SELECT sensor + 1 FROM town",
    "SELECT $1",
    "SELECT ?",
];

/// Questions that are allowed and heavy, or fail only while they run.
const HEAVY: &[&str] = &[
    // Few keys, many pairs.
    "SELECT count(*) FROM town a JOIN town b ON a.sensor = b.sensor",
    "SELECT a.time AS x, b.time AS y FROM town a JOIN town b ON a.sensor = b.sensor ORDER BY b.cars, a.cars",
    "SELECT count(*) FROM town a, town b, town c WHERE a.sensor = b.sensor AND b.sensor = c.sensor",
    "SELECT count(*) FROM town a JOIN town b ON a.door = b.door AND a.cars < b.cars",
    "SELECT count(*) FROM town a FULL JOIN town b ON a.sensor = b.sensor WHERE a.cars + b.cars > 1000",
    "SELECT (SELECT count(*) FROM town b WHERE b.sensor = a.sensor AND b.time < a.time) FROM town a",
    "SELECT count(*) FROM town a WHERE EXISTS (SELECT 1 FROM town b WHERE b.sensor = a.sensor AND b.time > a.time)",
    // Everything in one place.
    "SELECT string_agg(sensor || cast(time AS text), ',') FROM town",
    "SELECT array_agg(time) FROM town",
    "SELECT sensor, array_agg(temperature ORDER BY cars, time) FROM town GROUP BY sensor",
    "SELECT length(string_agg(a.sensor || b.sensor, ',')) FROM town a JOIN town b ON a.sensor = b.sensor",
    "SELECT count(DISTINCT cast(a.time AS text) || cast(b.time AS text)) FROM town a JOIN town b ON a.sensor = b.sensor",
    "SELECT a.time AS x, b.time AS y, count(*) AS n FROM town a JOIN town b ON a.sensor = b.sensor GROUP BY a.time, b.time",
    "SELECT * FROM town",
    "SELECT * FROM town ORDER BY noise, wind, cars, energy",
    "SELECT *, sum(cars) OVER (PARTITION BY door ORDER BY time ROWS BETWEEN 50000 PRECEDING AND 50000 FOLLOWING) FROM town",
    "SELECT max(r) FROM (SELECT rank() OVER (ORDER BY temperature, noise, time) AS r FROM town) x",
    "SELECT sum(x) FROM (SELECT min(cars) OVER (ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING) AS x FROM town) y",
    "SELECT median(temperature), median(cars), median(noise) FROM town GROUP BY time",
    // Much work on each row.
    "SELECT count(*) FROM town WHERE cast(time AS text) ~ '^(([0-9]+)*[-:TZ ]*)*$x'",
    "SELECT count(*) FROM town WHERE sensor ~ '((((s{0,100}){0,100}){0,100}){0,100}){0,100}'",
    "SELECT 'a' ~ '('",
    "SELECT count(*) FROM town WHERE sensor ~ '('",
    "SELECT count(*) FROM town WHERE regexp_match(sensor, '[') IS NULL",
    "SELECT count(*) FROM town WHERE regexp_like(sensor, '(x+x+)+y{1000}{1000}')",
    "SELECT count(*) FROM town WHERE cast(time AS text) LIKE '%2%0%2%5%-%T%:%:%Z%x%'",
    "SELECT replace(replace(replace(replace(cast(time AS text), '0', '0123456789012345678901234567890123456789'), '1', \
     '0123456789012345678901234567890123456789'), '2', '0123456789012345678901234567890123456789'), '3', \
     '0123456789012345678901234567890123456789') FROM town",
    "SELECT sum(a.cars * b.cars * 99999999999999999999) FROM town a JOIN town b ON a.sensor = b.sensor",
    "SELECT power(9, cars), exp(cars), factorial(20) FROM town",
    "SELECT time + INTERVAL '290000 years' FROM town",
    "SELECT date_bin(INTERVAL '1 nanosecond', time), count(*) FROM town GROUP BY 1",
    "SELECT time_bucket(INTERVAL '0 seconds', time) FROM town",
    "SELECT 1/0",
    "SELECT 1/(cars - cars) FROM town",
    "SELECT cast(sensor AS integer) FROM town",
    "SELECT cast(99999999999999999999999999999999999999 AS numeric) * 99999999999999999999999999999999999999",
];

/// A reading of one of five sensors.
fn row(n: i64, begin: i64) -> String {
    format!("s{},{},,{}.{},{},{n}.5,open,{}.1,{}", n % 5, begin + n, n % 40, n % 10, n % 97, 30 + n % 50, n % 360)
}

/// A text many times over.
fn times(count: usize, text: &str) -> String {
    text.repeat(count)
}

/// Common table expressions that each join the one before with itself.
fn doubling(levels: usize) -> String {
    let mut sql = "WITH t0 AS (SELECT sensor, time FROM town)".to_owned();
    for level in 1..=levels {
        let below = level - 1;
        let _ = write!(
            sql,
            ", t{level} AS (SELECT a.sensor, a.time FROM t{below} a JOIN t{below} b ON a.sensor = b.sensor)"
        );
    }
    format!("{sql} SELECT count(*) FROM t{levels}")
}

#[test]
fn what_may_not_be_asked_is_refused_at_once() {
    let mut town = Town::new();
    let flow = town.flow();
    let statements = || large().into_iter().chain(MISCHIEF.iter().map(|&sql| sql.to_owned()));
    let mut wrong = Vec::new();
    for sql in statements() {
        let told = town.ask(&sql);
        let (slug, begin) = (told.slug(), sql.chars().take(60).collect::<String>());
        let body: String = told.body.chars().take(300).collect();
        if !REFUSED.contains(&slug.as_str()) {
            wrong.push(format!("{begin}: {slug}, {body}"));
        } else if told.took > SLACK {
            wrong.push(format!("{begin}: after {:?}", told.took));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), statements().count(), wrong.join("\n"));
    assert_eq!(town.ask(b"SELECT '\xff\xfe'").status, 400);
    assert_eq!(figure(&town.http, "lamppost_sql_workers_killed_total"), 0.0, "the guard needs no rope");
    town.check_calm(flow);
}

#[test]
fn what_grows_while_it_runs_is_stopped_in_its_time() {
    let mut town = Town::new();
    let flow = town.flow();
    let heavy = HEAVY.iter().map(|&sql| sql.to_owned());
    let unions = ["", " ALL"].map(|all| {
        let arms = times(14, &format!(" UNION{all} SELECT * FROM town"));
        format!("SELECT count(*) FROM (SELECT * FROM town{arms}) x")
    });
    let statements: Vec<String> = heavy.chain(unions).chain([doubling(2)]).collect();
    let ends: Vec<&str> = STOPPED.iter().chain(REFUSED).copied().chain(["sql-division-by-zero"]).collect();
    let budget = Duration::from_secs(SECONDS) + SLACK;
    let mut wrong = Vec::new();
    for sql in &statements {
        let told = town.ask(sql);
        let body: String = told.body.chars().take(300).collect();
        if !ends.contains(&told.slug().as_str()) || told.took > budget {
            wrong.push(format!("{sql}: {} after {:?}, {body}", told.slug(), told.took));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), statements.len(), wrong.join("\n"));
    assert!(figure(&town.http, "lamppost_sql_workers_killed_total") > 0.0, "none ran out of time");
    town.check_calm(flow);
}

/// A question that would go on for hours.
const ENDLESS: &str = "SELECT count(*) FROM town a JOIN town b ON a.sensor = b.sensor WHERE a.cars + b.cars > 10000";

#[test]
fn a_crowd_waits_in_bounds_and_those_who_leave_are_forgotten() {
    let mut town = Town::new();
    let flow = town.flow();
    let http = town.http.as_str();
    let told: Vec<Told> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..20).map(|_| scope.spawn(|| ask(http, ENDLESS))).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    let ended = |slug: &str| told.iter().filter(|told| told.slug() == slug).count();
    assert_eq!(ended("busy") + ended("timeout"), 20, "{told:?}");
    assert!(ended("busy") >= 15 && ended("timeout") >= 1, "{told:?}");
    assert!(told.iter().all(|told| told.took < Duration::from_secs(2 * SECONDS) + SLACK), "{told:?}");
    // Callers that go away at once, or while their question runs.
    for _ in 0..50 {
        drop(begin(http, ENDLESS.as_bytes()));
    }
    for _ in 0..3 {
        // While those before are being forgotten, one more may still be told to come again.
        let running = wait(PATIENCE, || {
            let asked = begin(http, ENDLESS.as_bytes());
            std::thread::park_timeout(Duration::from_millis(200));
            (figure(http, "lamppost_sql_running") == 1.0).then_some(asked)
        });
        drop(running);
        wait(PATIENCE, || (figure(http, "lamppost_sql_running") == 0.0).then_some(()));
    }
    assert_eq!(json_number(&town.ask("SELECT 1 AS n")), Some(1), "the next is answered as if nothing had been");
    town.check_calm(flow);
}

fn json_number(told: &Told) -> Option<u64> {
    told.rows()[0]["n"].as_u64()
}

#[test]
fn a_worker_has_no_file_no_socket_and_no_environment() {
    let town = Town::new();
    let running = begin(&town.http, ENDLESS.as_bytes());
    let worker = wait(PATIENCE, || {
        let busy = figure(&town.http, "lamppost_sql_rows_read_total") > 0.0;
        town.children().into_iter().next().filter(|_| busy)
    });
    for entry in std::fs::read_dir(worker.join("fd")).unwrap().flatten() {
        let target = std::fs::read_link(entry.path()).unwrap().display().to_string();
        let harmless = ["pipe:", "anon_inode:", "/dev/null"].iter().any(|start| target.starts_with(start));
        assert!(harmless, "{} is {target}", entry.path().display());
    }
    assert_eq!(std::fs::read(worker.join("environ")).unwrap(), b"MIMALLOC_ARENA_EAGER_COMMIT=0\0");
    let limits = std::fs::read_to_string(worker.join("limits")).unwrap();
    let data = limits.lines().find(|line| line.starts_with("Max data size")).unwrap();
    assert!(data.contains(&(256 << 20).to_string()), "{data}");
    assert_eq!(std::fs::read_to_string(worker.join("oom_score_adj")).unwrap().trim(), "1000");
    // A server that is killed takes its workers along: their pipes end.
    let Town { place: _place, server, .. } = town;
    drop(server);
    wait(PATIENCE, || (!worker.exists()).then_some(()));
    drop(running);
}

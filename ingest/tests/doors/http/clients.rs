//! InfluxDB's own Python clients at the door; skipped without a Python that has them (`tests/oracle/requirements.txt`).

use super::open;
use std::path::Path;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn the_python_clients_of_both_versions_write() {
    let Ok(python) = std::env::var("LAMPPOST_PYTHON") else {
        eprintln!("skipped: LAMPPOST_PYTHON names no Python with the clients");
        return;
    };
    let (ground, address) = open().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/influx.py");
    for version in ["1", "2"] {
        let mut command = Command::new(&python);
        command.arg(&script).args([&format!("http://{address}"), "any", version]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "version {version}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let at = 1_772_352_000;
    let rows = [format!("a 1,=x {at} 412"), format!("b {at} 413"), format!("d {at} 414"), format!("e {at} 415")];
    let mut found = ground.rows("air").await;
    found.sort();
    assert_eq!(found, rows);
    ground.end().await.unwrap();
}

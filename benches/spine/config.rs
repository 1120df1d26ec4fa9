//! The config of a server under load.

use std::path::{Path, PathBuf};

/// Age at which hot rows are sealed and flushed. The default is 30 s; here the flush takes part in a run of some seconds, as
/// it does in a server that runs for days.
const FLUSH_AGE: &str = "5s";

/// Writes a config: everything as it comes but the age of a flush. With a broker's port it subscribes there, else the
/// built-in MQTT door is open.
pub(crate) fn config(folder: &Path, contracts: &Path, broker: Option<u16>) -> PathBuf {
    let door = match broker {
        Some(port) => format!("[[broker]]\nurl = \"mqtt://127.0.0.1:{port}\"\nclient_id = \"spine\"\n"),
        None => "mqtt.listen = \"127.0.0.1:0\"\n".to_owned(),
    };
    let text = format!(
        "data = \"data\"\nlog = \"log\"\ncontracts = \"{}\"\nhttp.listen = \"127.0.0.1:0\"\nflush.age = \"{FLUSH_AGE}\"\n{door}",
        contracts.display()
    );
    let path = folder.join("lamppost.toml");
    std::fs::write(&path, text).expect("config");
    path
}

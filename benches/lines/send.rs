//! Sends a load: a thread per connection, one body after the other, each acknowledged before the next.

use crate::load::Load;
use crate::process::pause;
use crate::web::Web;
use std::time::{Duration, Instant};

/// Sends everything; the time from the first byte to the last acknowledgement. A body that is put off (429, 503) is sent again.
pub(crate) fn send(host: &str, load: &Load) -> Duration {
    let webs: Vec<Web> = load.lanes.iter().map(|_| Web::new(host)).collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for (mut web, bodies) in webs.into_iter().zip(&load.lanes) {
            scope.spawn(move || bodies.iter().for_each(|body| post(&mut web, body)));
        }
    });
    begun.elapsed()
}

fn post(web: &mut Web, body: &[u8]) {
    loop {
        let reply = web.post("/write?db=town", body);
        match reply.status {
            204 => return,
            429 | 503 => pause(Duration::from_millis(20)),
            status => panic!("{status}: {}", String::from_utf8_lossy(&reply.body)),
        }
    }
}

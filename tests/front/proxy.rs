//! A real nginx in front: whom it names is the caller, and what its callers claim is not believed.

use super::place::{Place, folder};
use crate::cli::program::{PATIENCE, get, wait};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

const NGINX: &str = "/usr/sbin/nginx";

/// Killed when dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts one that passes everything on from a free port, with a header line of its own; gives its address.
fn nginx(place: &Place, header: &str) -> (Nginx, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = place.folder.path().join(format!("nginx-{port}"));
    fs::create_dir(&folder).unwrap();
    let text = format!(
        "daemon off; master_process off; pid {0}/pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off;\n\
         client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n\
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{1}; {header} }} }} }}\n",
        folder.display(),
        place.http
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, text).unwrap();
    let mut command = Command::new(NGINX);
    let child = command.arg("-c").arg(&file).arg("-p").arg(&folder).stderr(Stdio::null()).spawn().unwrap();
    let address = format!("127.0.0.1:{port}");
    wait(PATIENCE, || TcpStream::connect(&address).ok());
    (Nginx(child), address)
}

#[test]
fn behind_nginx_nobody_is_on_this_machine() {
    if !fs::exists(NGINX).unwrap() {
        eprintln!("skipped: {NGINX} is not there: apt-get install nginx-light");
        return;
    }
    // Told by a header or not at all: /status is for this machine's own programs, and whoever comes through is none.
    for header in
        ["", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", "proxy_set_header X-Real-IP $remote_addr;"]
    {
        let place = Place::within(folder("trusted_proxies = [\"127.0.0.1\"]"));
        let (_nginx, address) = nginx(&place, header);
        assert_eq!(get(&address, "/health").0, 200);
        let (code, body) = get(&address, "/status");
        assert!(matches!(code, 401 | 403), "{header}: {code} {body}");
    }
    let place = Place::within(folder(""));
    assert_eq!(get(&place.http, "/status").0, 200, "without a proxy");
}

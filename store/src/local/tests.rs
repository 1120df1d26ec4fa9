//! The durable store keeps object_store's promises; that it syncs is seen in its system calls.

use super::*;

use object_store::ObjectStoreExt;

async fn read(store: &Arc<dyn ObjectStore>, place: &str) -> String {
    let bytes = store.get(&Place::from(place)).await.unwrap().bytes().await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn names(store: &Arc<dyn ObjectStore>) -> Vec<String> {
    let mut found: Vec<String> = store.list(None).map_ok(|m| m.location.to_string()).try_collect().await.unwrap();
    found.sort();
    found
}

#[tokio::test]
async fn a_put_is_read_back_replaced_copied_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a/b")).unwrap();
    let x = Place::from("deep/er/x");
    store.put(&x, "one".into()).await.unwrap();
    store.put(&x, "two".into()).await.unwrap();
    assert_eq!(read(&store, "deep/er/x").await, "two");
    store.copy(&x, &Place::from("far/y")).await.unwrap();
    store.rename(&x, &Place::from("z")).await.unwrap();
    assert_eq!(names(&store).await, ["far/y", "z"]);
    assert_eq!(read(&store, "far/y").await, "two");
    store.delete(&Place::from("z")).await.unwrap();
    assert!(matches!(store.get(&Place::from("z")).await, Err(object_store::Error::NotFound { .. })));
    assert_eq!(names(&store).await, ["far/y"]);
}

#[tokio::test]
async fn create_gives_way_to_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let x = Place::from("log/0.json");
    store.put_opts(&x, "mine".into(), PutMode::Create.into()).await.unwrap();
    let taken = store.put_opts(&x, "yours".into(), PutMode::Create.into()).await;
    assert!(matches!(taken, Err(object_store::Error::AlreadyExists { .. })), "{taken:?}");
    assert_eq!(read(&store, "log/0.json").await, "mine");
    assert_eq!(fs::read_dir(folder.path().join("log")).unwrap().count(), 1, "no draft stays");
}

#[tokio::test]
async fn an_upload_in_parts_stands_when_complete() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let mut upload = store.put_multipart(&Place::from("big")).await.unwrap();
    upload.put_part("ab".into()).await.unwrap();
    upload.put_part("cd".into()).await.unwrap();
    assert!(names(&store).await.is_empty());
    upload.complete().await.unwrap();
    assert_eq!(read(&store, "big").await, "abcd");
}

#[tokio::test]
async fn drafts_of_a_crash_are_hidden_and_swept() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("d")).unwrap();
    fs::write(folder.path().join("d/x.parquet#12"), "half").unwrap();
    fs::write(folder.path().join("d/x#y"), "whole").unwrap();
    let store = open(folder.path()).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("d")).unwrap().count(), 1);
    assert_eq!(names(&store).await, ["d/x%23y"].map(|n| n.replace("%23", "#")));
}

/// Runs one of the tests above under strace, and gives its system calls on files in order, with what they named.
fn traced(test: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("trace");
    let calls = "trace=fsync,fdatasync,linkat,rename,mkdir";
    let ran = std::process::Command::new("strace")
        .args(["-f", "-y", "-qq", "-e", calls, "-o"])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .output()
        .expect("strace, which ./check installs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let text = fs::read_to_string(&log).unwrap();
    let done = text.lines().filter(|line| line.ends_with("= 0"));
    done.filter_map(|line| line.split_once(' ').map(|(_, call)| call.trim_start().to_owned())).collect()
}

#[test]
fn a_put_syncs_its_bytes_before_it_is_named_and_its_folders_after() {
    let calls = traced("local::tests::create_gives_way_to_what_is_there");
    let root = calls.iter().find(|c| c.starts_with("mkdir") && c.contains("/log\"")).expect("the log folder");
    let root = root.split('"').nth(1).unwrap().trim_end_matches("/log").to_owned();
    let wanted = [
        ("mkdir(", format!("{root}/log\"")),
        ("fsync(", format!("<{root}>")),
        ("fdatasync(", format!("<{root}/log/0.json#0>")),
        ("linkat(", format!("\"{root}/log/0.json\"")),
        ("fsync(", format!("<{root}/log>")),
    ];
    let mut calls = calls.iter();
    for (call, name) in wanted {
        assert!(calls.any(|c| c.starts_with(call) && c.contains(&name)), "no {call}…{name} in its turn");
    }
}

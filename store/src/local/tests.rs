//! The durable store keeps object_store's promises; that it syncs is shown by tracing its system calls.

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

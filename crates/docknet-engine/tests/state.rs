//! What becomes of an engine whose directory is taken, newer than it, or damaged.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![cfg(feature = "disk")]

use std::fs;
use std::path::Path;

use docknet_engine::{Engine, StartError, StoreErrorKind};
use redb::{Database, TableDefinition};

#[tokio::test]
async fn a_second_engine_on_a_directory_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let first = Engine::open(dir.path()).start().await.unwrap();
    let error = Engine::open(dir.path()).start().await.unwrap_err();
    assert_says(&error, StoreErrorKind::InUse, dir.path(), "another engine");
    // A client holds the engine as well as the engine itself does.
    let client = first.client();
    drop(first);
    assert!(Engine::open(dir.path()).start().await.is_err());
    client.networks().create("kept").await.unwrap();
    drop(client);
    let second = Engine::open(dir.path()).start().await.unwrap();
    second.client().networks().get("kept").await.unwrap();
}

#[tokio::test]
async fn a_state_of_a_newer_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(Engine::open(dir.path()).start().await.unwrap());
    let file = dir.path().join("state.redb");
    set_format(&file, "7");
    let before = fs::read(&file).unwrap();
    let error = Engine::open(dir.path()).start().await.unwrap_err();
    assert_says(&error, StoreErrorKind::Format, dir.path(), "format 7");
    set_format(&file, "1");
    Engine::open(dir.path()).start().await.unwrap();
    assert!(!before.is_empty());
}

fn set_format(file: &Path, format: &str) {
    let db = Database::open(file).unwrap();
    let transaction = db.begin_write().unwrap();
    let meta: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("format", format).unwrap();
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_never_reset() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::open(dir.path()).start().await.unwrap();
    let networks = engine.client().networks();
    for number in 0..20 {
        networks.create(format!("n{number}").as_str()).await.unwrap();
    }
    drop((networks, engine));
    let file = dir.path().join("state.redb");
    let whole = fs::read(&file).unwrap();
    let damages: [(&str, Vec<u8>); 4] = [
        ("empty", Vec::new()),
        ("half", whole[..whole.len() / 2].to_vec()),
        ("another file", b"# a text that somebody put here\n".repeat(64)),
        (
            "zeros in it",
            whole
                .iter()
                .enumerate()
                .map(|(at, byte)| if at % 4096 == 100 { 0x55 } else { *byte })
                .collect(),
        ),
    ];
    for (what, bytes) in damages {
        fs::write(&file, &bytes).unwrap();
        let error = Engine::open(dir.path()).start().await.expect_err(what);
        let kind = error.store().unwrap_or_else(|| panic!("{what}: {error}")).kind();
        let expected = [StoreErrorKind::Damaged, StoreErrorKind::Foreign];
        assert!(expected.contains(&kind), "{what}: {kind:?}: {error}");
        assert!(error.to_string().contains("state.redb"), "{what}: {error}");
        assert_eq!(fs::metadata(&file).unwrap().len(), bytes.len() as u64, "{what}");
    }
    fs::write(&file, &whole).unwrap();
    let engine = Engine::open(dir.path()).start().await.unwrap();
    assert_eq!(engine.client().networks().list().await.unwrap().len(), 23);
}

fn assert_says(error: &StartError, kind: StoreErrorKind, dir: &Path, what: &str) {
    assert_eq!(error.store().unwrap().kind(), kind, "{error}");
    let text = error.to_string();
    assert!(text.contains(&dir.display().to_string()) && text.contains(what), "{text}");
}

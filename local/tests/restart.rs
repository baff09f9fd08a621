//! What a folder keeps: nothing acknowledged is lost when a process ends at any moment.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]


use std::path::Path;

use shop_local::cloud::{Cloud, CloudError, Mode, Options};
use shop_local::template::Template;
use crate::toy::{counts, drain, place_item, start};

fn options(folder: &Path) -> Options {
    Options::new(Mode::Real { data_dir: Some(folder.to_owned()) })
}

/// Runs a process's life: when the runtime is dropped, every task ends where it is.
fn life<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

async fn secret(cloud: &Cloud) -> String {
    let secrets = aws_sdk_secretsmanager::Client::new(&cloud.sdk_config("test"));
    let id = cloud.physical("Secret").unwrap();
    let answer = secrets.get_secret_value().secret_id(id).send().await.unwrap();
    answer.secret_string().unwrap().to_owned()
}

#[test]
fn every_acknowledged_item_is_counted_after_sudden_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut secrets = Vec::new();
    for round in 0..4 {
        life(async {
            let cloud = start(options(folder.path())).await;
            secrets.push(secret(&cloud).await);
            let place = |number: u32| {
                let cloud = cloud.clone();
                async move { place_item(&cloud, &format!("item-{round}-{number}"), "item.placed").await }
            };
            let placed = futures::future::join_all((0..25).map(place)).await;
            assert!(placed.iter().all(|status| *status == 201));
        });
    }
    life(async {
        let cloud = start(options(folder.path())).await;
        cloud.settled().await;
        assert_eq!(counts(&cloud).await.len(), 100);
        assert_eq!(secret(&cloud).await, secrets[0]);
        assert_eq!(secrets[0].len(), 64);
        cloud.stop().await;
    });
}

#[test]
fn queues_that_nobody_consumes_keep_their_messages() {
    let folder = tempfile::tempdir().unwrap();
    life(async {
        let cloud = start(options(folder.path())).await;
        let sqs = aws_sdk_sqs::Client::new(&cloud.sdk_config("test"));
        let url = cloud.physical("CountDeadLetterQueue").unwrap();
        sqs.send_message().queue_url(url).message_body("kept").send().await.unwrap();
        cloud.stop().await;
    });
    life(async {
        let cloud = start(options(folder.path())).await;
        assert_eq!(drain(&cloud, "CountDeadLetterQueue").await, ["kept"]);
    });
}

#[test]
fn a_folder_with_other_tables_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    life(async { drop(start(options(folder.path())).await) });
    let text = include_str!("template.yaml").replace("IndexName: by-kind", "IndexName: by-type");
    let template = Template::parse(&text, &std::collections::BTreeMap::new()).unwrap();
    life(async {
        let error = Cloud::start(&template, crate::toy::FUNCTIONS, options(folder.path())).await.unwrap_err();
        let CloudError::State { source, .. } = error else { panic!("{error}") };
        assert_eq!(source.to_string(), "the table Items has another definition there");
    });
}

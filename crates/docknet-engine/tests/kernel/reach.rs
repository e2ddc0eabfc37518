//! Who can reach whom.

use docknet::EndpointSpec;

use crate::lab::{Lab, ask, assert_silent, listen};

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_a_network_talk_and_those_of_another_do_not() {
    let lab = Lab::new().await;
    lab.network("front").await;
    lab.network("back").await;
    let (web, db) = (lab.container("web", "front").await, lab.container("db", "back").await);
    let api = lab.container("api", "front").await;
    listen(&web, 80, "web");
    let address = lab.ip("web", "front").await;
    assert_eq!(ask(&api, (address, 80)).unwrap(), "web");
    assert_silent(&db, (address, 80));

    // Connected, it can; cut off again, it cannot.
    let front = lab.client.networks().get("front").await.unwrap();
    front.connect("db", EndpointSpec::new()).await.unwrap();
    assert_eq!(ask(&db, (address, 80)).unwrap(), "web");
    front.disconnect("db").await.unwrap();
    assert_silent(&db, (address, 80));
    front.disconnect("web").await.unwrap();
    assert_silent(&api, (address, 80));
}

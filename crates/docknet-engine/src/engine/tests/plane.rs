//! A data plane and a store that work at the same time, and what becomes of an operation if one of them fails.

#[cfg(kernel)]
use std::{io, os::fd::OwnedFd};

use docknet_types::NetworkId;

use super::{Arc, Change, Keeper, Lab, Lock, Outcome, is_network};
use crate::core::host::Host;
use crate::core::step::{Sandbox, Step};
use crate::plane::{DataPlane, PlaneError};
#[cfg(kernel)]
use crate::plane::{Disturbances, Leaving, Namespace};

/// A data plane that makes its caller wait, and fails where it is told to.
#[derive(Clone, Default)]
struct Slow {
    host: Host,
    shared: Arc<Lock<Told>>,
}

#[derive(Default)]
struct Told {
    /// The name of a network that it does not add.
    fails: Option<&'static str>,
    networks: Vec<NetworkId>,
}

impl DataPlane for Slow {
    fn host(&self) -> &Host {
        &self.host
    }

    fn look(&mut self) -> Result<(), PlaneError> {
        Ok(())
    }

    fn blocks(&self) -> bool {
        true
    }

    fn apply(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        let mut told = self.shared.lock().unwrap();
        for step in steps {
            if let Step::AddNetwork(network) = step {
                if told.fails == Some(&*network.config.name) {
                    return Err(PlaneError::new("no room".to_owned()));
                }
                told.networks.push(network.id.clone());
            }
        }
        Ok(())
    }

    #[cfg(kernel)]
    fn disturbances(&self) -> io::Result<(Disturbances, OwnedFd)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(kernel)]
    fn namespace(&self, _: &docknet_types::ContainerId) -> io::Result<(Namespace, Leaving)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(kernel)]
    fn home(&self) -> io::Result<Namespace> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn keeps(&self, _: &Sandbox) -> bool {
        true
    }

    fn agree(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        self.apply(steps)
    }

    fn undo(&mut self, steps: &[Step]) {
        let mut told = self.shared.lock().unwrap();
        for step in steps {
            if let Step::AddNetwork(network) = step {
                told.networks.retain(|id| *id != network.id);
            }
        }
    }
}

async fn start(fails: Option<&'static str>) -> (Lab, Slow) {
    let plane = Slow::default();
    plane.shared.lock().unwrap().fails = fails;
    (Lab::start_on(Some(Box::new(plane.clone()))).await, plane)
}

impl Slow {
    fn networks(&self) -> usize {
        self.shared.lock().unwrap().networks.len()
    }
}

#[tokio::test]
async fn what_the_data_plane_does_not_do_is_taken_back_from_the_store() {
    let (lab, plane) = start(Some("x")).await;
    let refused = lab.create("x");
    let (lab, made) = lab.committing().await;
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, taken_back) = lab.committing().await;
    assert_eq!(lab.names().await, [""; 0]);
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!(refused.await.unwrap(), 500);
    assert_eq!(lab.names().await, [""; 0]);
    // The same records, and those of the network are not there again.
    let keys = |changes: &[Change]| -> Vec<_> { changes.iter().map(key).collect() };
    assert_eq!(keys(&made), keys(&taken_back));
    let [gone] = taken_back.iter().filter(|change| is_network(change)).collect::<Vec<_>>()[..]
    else {
        panic!("{taken_back:?}")
    };
    assert!(matches!(gone, Change::Delete { .. }), "{gone:?}");
    assert_eq!(plane.networks(), 0);
    // Nobody knows of it: the next one has its subnet.
    let next = lab.create("y");
    let (lab, _) = lab.committing().await;
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!(next.await.unwrap(), 201);
    let subnet = lab.client.networks().get("y").await.unwrap().info().ipam.pools[0].subnet;
    assert_eq!(subnet, Some("172.18.0.0/16".parse().unwrap()));
}

#[tokio::test]
async fn what_the_store_does_not_keep_is_undone() {
    let (lab, plane) = start(None).await;
    let refused = lab.create("x");
    let (lab, _) = lab.committing().await;
    lab.outcome.send(Outcome::Failed).unwrap();
    assert_eq!(refused.await.unwrap(), 500);
    assert_eq!((lab.names().await, plane.networks()), (vec![], 0));
}

#[tokio::test]
async fn one_that_fails_last_leaves_those_before_it() {
    let (lab, plane) = start(Some("z")).await;
    let first = lab.create("v");
    let (lab, _) = lab.committing().await;
    let (second, last) = (lab.create("w"), lab.create("z"));
    lab.waiting(2).await;
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, together) = lab.committing().await;
    assert_eq!(together.iter().filter(|change| is_network(change)).count(), 2);
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, taken_back) = lab.committing().await;
    assert_eq!(taken_back.iter().filter(|change| is_network(change)).count(), 1);
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!((first.await.unwrap(), second.await.unwrap(), last.await.unwrap()), (201, 201, 500));
    assert_eq!((lab.names().await, plane.networks()), (vec!["v".into(), "w".into()], 2));
}

#[tokio::test]
async fn what_is_done_and_then_not_kept_is_undone_with_all_before_it() {
    let (lab, plane) = start(Some("z")).await;
    let first = lab.create("v");
    let (lab, _) = lab.committing().await;
    let others = [lab.create("w"), lab.create("z")];
    lab.waiting(2).await;
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, _) = lab.committing().await;
    lab.outcome.send(Outcome::Failed).unwrap();
    assert_eq!(first.await.unwrap(), 201);
    for other in others {
        assert_eq!(other.await.unwrap(), 500);
    }
    assert_eq!((lab.names().await, plane.networks()), (vec!["v".into()], 1));
}

/// On the kernel: the link that a container was taken off is put back, while the kernel still has the old one.
#[cfg(kernel)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_put_back_if_its_removal_is_not_kept() {
    use docknet::{ContainerSpec, EndpointSpec};

    /// Nothing can be kept any more.
    struct Full;

    impl crate::store::Store for Full {
        fn commit(&mut self, _: &[Change]) -> Result<(), crate::store::StoreError> {
            Err(super::full())
        }

        fn is_durable(&self) -> bool {
            true
        }
    }

    let engine = super::Engine::kernel().isolated().image("app").start().await.unwrap();
    let client = engine.client();
    let front = client.networks().create("front").await.unwrap();
    let spec = ContainerSpec::new("app").name("web").network("front", EndpointSpec::new());
    client.containers().create(spec).await.unwrap().start().await.unwrap();
    let web = engine.sandbox("web").await.unwrap();
    engine.0.writer.lock().await.store = Keeper::Here(Box::new(Full));
    let refused = front.disconnect("web").await.unwrap_err();
    assert!(refused.to_string().contains("the disk is full"), "{refused}");
    let shown = web.command("ip").args(["-br", "addr"]).output().unwrap().stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("eth0") && shown.contains("172.18.0.2/16"), "{shown}");
}

fn key(change: &Change) -> (crate::store::Table, String) {
    let (Change::Put { table, key, .. } | Change::Delete { table, key }) = change;
    (*table, key.clone())
}

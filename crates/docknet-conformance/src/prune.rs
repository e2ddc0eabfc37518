//! Pruning, always of this behaviour's own networks: others use the engine as well.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use docknet::{Client, EndpointSpec, ErrorKind, Filters, Kept, Network, Pruned, Result};

use crate::expect::refused;
use crate::{behaviours, lab};

/// Networks of this behaviour.
fn own() -> Filters {
    Filters::new().label(lab::own_label())
}

/// Prunes, once nobody else does: an engine does it once at a time.
async fn prune(client: &Client, filters: &Filters) -> Result<Pruned> {
    for _ in 0..200 {
        match client.networks().prune(filters).await {
            // Podman looks at every container, and fails when one goes meanwhile.
            Err(error)
                if error.message().contains("a prune operation is already running")
                    || error.message().contains("no such container") =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            answer => return answer,
        }
    }
    panic!("somebody else prunes for more than ten seconds")
}

/// Exactly these are left of this behaviour's networks.
async fn left(client: &Client, expected: &[&Network]) -> Result<()> {
    let list = client.networks().list_with(&own()).await?;
    let found: BTreeSet<_> = list.iter().map(Network::name).collect();
    assert_eq!(found, expected.iter().map(|network| network.name()).collect());
    Ok(())
}

fn sorted(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

/// What nobody uses goes, and is named; what a running container uses stays.
pub async fn takes_what_nobody_uses(client: &Client) -> Result<()> {
    let (one, two) =
        (lab::network(client, |spec| spec).await?, lab::network(client, |spec| spec).await?);
    let used = lab::network(client, |spec| spec).await?;
    lab::running(client, &[&used]).await?;
    let pruned = prune(client, &own()).await?;
    assert_eq!(sorted(&pruned.networks_deleted), [one.name(), two.name()].into());
    assert_eq!(pruned.space_reclaimed, 0);
    assert!(pruned.refused.is_empty());
    left(client, &[&used]).await
}

/// A prune that finds nothing removes nothing, and says so with an empty list.
pub async fn nothing_is_an_empty_list(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let pruned = prune(client, &own().label("nobody-has-this")).await?;
    assert_eq!(pruned.networks_deleted, [""; 0]);
    left(client, &[&network]).await
}

/// Only what has all of several labels goes.
pub async fn takes_what_has_all_labels(client: &Client) -> Result<()> {
    let one = lab::network(client, |spec| spec.label("tier", "web")).await?;
    let two = lab::network(client, |spec| spec.label("tier", "db")).await?;
    let bare = lab::network(client, |spec| spec).await?;
    let pruned = prune(client, &own().label("tier=db")).await?;
    assert_eq!(pruned.networks_deleted, [two.name()]);
    left(client, &[&one, &bare]).await?;
    let pruned = prune(client, &own().label("tier")).await?;
    assert_eq!(pruned.networks_deleted, [one.name()]);
    left(client, &[&bare]).await
}

/// What has an unwanted label stays.
pub async fn leaves_what_has_an_unwanted_label(client: &Client) -> Result<()> {
    let kept = lab::network(client, |spec| spec.label("keep", "yes")).await?;
    let goes = lab::network(client, |spec| spec.label("keep", "no")).await?;
    let bare = lab::network(client, |spec| spec).await?;
    let pruned = prune(client, &own().without_label("keep=yes")).await?;
    assert_eq!(sorted(&pruned.networks_deleted), [goes.name(), bare.name()].into());
    left(client, &[&kept]).await
}

/// What is younger than `until` stays, and what is older goes: as an age and as a time.
pub async fn leaves_what_is_young(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    for until in ["24h", "2020-01-01", "2020-01-01T00:00:00Z", "1577836800"] {
        let pruned = prune(client, &own().until(until)).await?;
        assert_eq!(pruned.networks_deleted, [""; 0], "until {until}");
    }
    left(client, &[&network]).await?;
    let soon = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default() + Duration::from_secs(3600);
    let pruned = prune(client, &own().until(soon.as_secs().to_string())).await?;
    assert_eq!(pruned.networks_deleted, [network.name()]);
    left(client, &[]).await
}

/// A filter that a prune does not have is refused, and so is a time that is none; nothing goes then.
pub async fn unknown_filters_are_refused(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    for filters in [
        own().name("a"),
        own().dangling(true),
        own().raw("colour", "blue"),
        own().until("yesterday"),
    ] {
        refused(prune(client, &filters).await, &[ErrorKind::BadRequest]);
    }
    left(client, &[&network]).await
}

/// What a stopped container needs to start again stays.
pub async fn leaves_what_stopped_containers_need(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    lab::exited(client, &[&network]).await?;
    let pruned = prune(client, &own()).await?;
    assert_eq!(pruned.networks_deleted, [""; 0], "a stopped container's network is pruned");
    left(client, &[&network]).await
}

/// A plan has what nobody uses, and what stays with the reason: containers that run, and such that do not.
pub async fn a_plan_says_what_stays_and_why(client: &Client) -> Result<()> {
    let unused = lab::network(client, |spec| spec).await?;
    let (runs, ended, never) = (
        lab::network(client, |spec| spec).await?,
        lab::network(client, |spec| spec).await?,
        lab::network(client, |spec| spec).await?,
    );
    let running = lab::running(client, &[&runs]).await?;
    let exited = lab::exited(client, &[&ended]).await?;
    let created = lab::created(client, &[&never]).await?;
    let plan = client.networks().plan_prune(&own()).await?;
    assert_eq!(plan.remove, std::slice::from_ref(&unused));
    let kept = |network: &Network| {
        plan.keep.iter().find(|(kept, _)| kept == network).map(|(_, why)| why.clone())
    };
    assert_eq!(kept(&runs), Some(Kept::Running(vec![running.name().to_owned()])));
    assert_eq!(kept(&ended), Some(Kept::Stopped(vec![exited.name().to_owned()])));
    assert_eq!(kept(&never), Some(Kept::Stopped(vec![created.name().to_owned()])));
    assert_eq!(plan.keep.len(), 3);
    left(client, &[&unused, &runs, &ended, &never]).await?;
    let pruned = plan.execute().await?;
    assert_eq!(pruned.networks_deleted, [unused.name()]);
    left(client, &[&runs, &ended, &never]).await?;
    exited.start().await?;
    created.start().await
}

/// A plan knows the filters of a prune, and refuses others before anything is sent.
pub async fn a_plan_filters_as_a_prune_does(client: &Client) -> Result<()> {
    let kept = lab::network(client, |spec| spec.label("keep", "yes")).await?;
    let bare = lab::network(client, |spec| spec).await?;
    let removes = |filters: Filters| async move {
        Ok::<_, docknet::Error>(client.networks().plan_prune(&filters).await?.remove)
    };
    assert_eq!(removes(own().without_label("keep")).await?, [bare]);
    assert_eq!(removes(own().label("keep=yes")).await?, [kept]);
    assert_eq!(removes(own().until("24h")).await?, []);
    let error =
        refused(client.networks().plan_prune(&own().name("a")).await, &[ErrorKind::InvalidSpec]);
    assert_eq!(error.status(), None);
    refused(
        client.networks().plan_prune(&own().until("yesterday")).await,
        &[ErrorKind::InvalidSpec],
    );
    Ok(())
}

/// A plan is done by ids: what is in use by then stays, what is gone by then is no failure, and what came since stays.
pub async fn a_plan_that_is_late_is_safe(client: &Client) -> Result<()> {
    let (unused, used, gone) = (
        lab::network(client, |spec| spec).await?,
        lab::network(client, |spec| spec).await?,
        lab::network(client, |spec| spec).await?,
    );
    let plan = client.networks().plan_prune(&own()).await?;
    assert_eq!(plan.remove.len(), 3);
    let container = lab::running(client, &[]).await?;
    used.connect(&container, EndpointSpec::new()).await?;
    let name = gone.name().to_owned();
    gone.remove().await?;
    let again = lab::network(client, |mut spec| {
        spec.name = name;
        spec
    })
    .await?;
    let pruned = plan.execute().await?;
    assert_eq!(pruned.networks_deleted, [unused.name()]);
    let [refusal] = &pruned.refused[..] else { panic!("{:?}", pruned.refused) };
    assert_eq!((refusal.kind(), refusal.subject()), (ErrorKind::InUse, Some(used.name())));
    left(client, &[&used, &again]).await
}

/// An `until` without a time gets an answer.
pub async fn an_until_without_a_time_is_answered(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let filters = format!("{{\"until\":[],\"label\":[\"{}\"]}}", lab::own_label());
    let target = format!("/networks/prune?filters={filters}");
    let answer = loop {
        let answer = lab::exchange(client, "POST", &target, "").await?;
        if !answer.message.contains("a prune operation is already running") {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(answer.status == 200, "{} {}", answer.status, answer.message);
    assert_eq!(answer.body["NetworksDeleted"][0], network.name());
    Ok(())
}

behaviours!(prune:
    takes_what_nobody_uses [Containers],
    nothing_is_an_empty_list,
    takes_what_has_all_labels,
    leaves_what_has_an_unwanted_label,
    leaves_what_is_young,
    unknown_filters_are_refused,
    leaves_what_stopped_containers_need [Containers],
    a_plan_says_what_stays_and_why [Containers],
    a_plan_filters_as_a_prune_does,
    a_plan_that_is_late_is_safe [Containers],
    an_until_without_a_time_is_answered,
);

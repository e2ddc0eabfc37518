//! Containers find one another by name.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use docknet::{ContainerSpec, EndpointSpec, NetworkSpec};
use docknet_engine::Sandbox;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, QTYPE, Question, RCODE, TYPE};

use crate::lab::Lab;

/// Where containers ask.
const RESOLVER: &str = "127.0.0.11:53";

/// What a container is told of a name: the addresses, or why there are none.
fn resolve(from: &Sandbox, name: &str, kind: TYPE) -> Result<Vec<String>, RCODE> {
    let mut query = Packet::new_query(7);
    query.set_flags(simple_dns::PacketFlag::RECURSION_DESIRED);
    query.questions.push(Question::new(
        Name::new(name).unwrap(),
        QTYPE::TYPE(kind),
        simple_dns::QCLASS::CLASS(CLASS::IN),
        false,
    ));
    let query = query.build_bytes_vec().unwrap();
    let answer = from.within(|| {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        socket.connect(RESOLVER.parse::<SocketAddr>().unwrap())?;
        socket.send(&query)?;
        let mut answer = vec![0; 4096];
        let length = socket.recv(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    });
    let answer = answer.unwrap();
    let packet = Packet::parse(&answer).unwrap();
    if packet.rcode() != RCODE::NoError {
        return Err(packet.rcode());
    }
    let mut found: Vec<_> = packet
        .answers
        .iter()
        .filter_map(|answer| match &answer.rdata {
            RData::A(a) => Some(IpAddr::from(a.address.to_be_bytes()).to_string()),
            RData::AAAA(a) => Some(IpAddr::from(a.address.to_be_bytes()).to_string()),
            RData::PTR(name) => Some(name.0.to_string()),
            _ => None,
        })
        .collect();
    found.sort();
    Ok(found)
}

pub(crate) fn a(from: &Sandbox, name: &str) -> Result<Vec<String>, RCODE> {
    resolve(from, name, TYPE::A)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_aliases_are_found_on_the_networks_that_two_share() {
    let lab = Lab::new().await;
    lab.network(NetworkSpec::new("front").ipv6(true).internal(true)).await;
    lab.network(NetworkSpec::new("back").internal(true)).await;
    let web = lab.container("web", "front").await;
    let api = lab.container("api", "front").await;
    let db = lab.container("db", "back").await;
    let short = lab.client.containers().get("api").await.unwrap().short_id().to_owned();
    assert_eq!(a(&web, "api"), Ok(vec!["172.18.0.3".to_owned()]));
    assert_eq!(a(&web, "API.front"), Ok(vec!["172.18.0.3".to_owned()]));
    assert_eq!(a(&web, &short), Ok(vec!["172.18.0.3".to_owned()]));
    let v6 = lab.ips("api", "front").await.1.unwrap().to_string();
    assert_eq!(resolve(&web, "api", TYPE::AAAA), Ok(vec![v6]));
    let back = resolve(&web, "3.0.18.172.in-addr.arpa", TYPE::PTR);
    assert_eq!(back, Ok(vec!["api.front".to_owned()]));
    a(&db, "api").unwrap_err();
    a(&web, "db").unwrap_err();

    // Connected, it is found by its name and its aliases.
    let networks = lab.client.networks();
    let front = networks.get("front").await.unwrap();
    front.connect("db", EndpointSpec::new().alias("store")).await.unwrap();
    for name in ["db", "store", "store.front"] {
        assert_eq!(a(&web, name), Ok(vec!["172.18.0.4".to_owned()]), "{name}");
    }
    // The network that comes first by name answers first.
    assert_eq!(a(&db, "db"), Ok(vec!["172.19.0.2".to_owned()]));
    front.disconnect("db").await.unwrap();
    a(&web, "store").unwrap_err();

    // One alias of two is both of them; a name that changes is found by the new one.
    front.connect("db", EndpointSpec::new().alias("all")).await.unwrap();
    front.disconnect("api").await.unwrap();
    front.connect("api", EndpointSpec::new().alias("all")).await.unwrap();
    assert_eq!(a(&web, "all").unwrap().len(), 2);
    let rename = http::Request::post("/containers/api/rename?name=gate");
    let renamed = lab.client.send(rename.body(Default::default()).unwrap()).await.unwrap();
    assert!(renamed.status().is_success());
    assert_eq!(a(&web, "gate").unwrap().len(), 1);
    a(&web, "api").unwrap_err();
    lab.client.containers().get("gate").await.unwrap().stop().await.unwrap();
    a(&web, "gate").unwrap_err();
    assert_eq!(a(&web, "all").unwrap().len(), 1);
    drop(api);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_names_that_one_container_has() {
    let lab = Lab::new().await;
    lab.network(NetworkSpec::new("front").internal(true)).await;
    lab.container("db", "front").await;
    let other = lab.container("other", "front").await;
    let spec = ContainerSpec::new("app")
        .name("web")
        .network("front", EndpointSpec::new().link("db", "store"));
    lab.client.containers().create(spec).await.unwrap().start().await.unwrap();
    let web = lab.engine.sandbox("web").await.unwrap();
    assert_eq!(a(&web, "store"), Ok(vec!["172.18.0.2".to_owned()]));
    a(&other, "store").unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_may_serve_names_itself() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let names = lab.container("names", "front").await;
    let own = names.within(|| UdpSocket::bind("0.0.0.0:53")).unwrap();
    assert_eq!(a(&names, "names"), Ok(vec!["172.18.0.2".to_owned()]));
    let asker = lab.container("asker", "front").await;
    let question = asker.within(|| UdpSocket::bind("0.0.0.0:0")).unwrap();
    question.send_to(b"?", "172.18.0.2:53").unwrap();
    own.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(own.recv_from(&mut [0; 8]).unwrap().0, 1);
}

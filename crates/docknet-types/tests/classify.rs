//! The recorded answers of real engines, replayed; and what must not mislead.

use docknet_types::{ErrorKind, classify};

const RECORDED: &str = include_str!("recorded_errors.tsv");

/// What only this side of the connection can find out.
const NEVER_ANSWERED: &[ErrorKind] = &[
    ErrorKind::BodyTooLarge,
    ErrorKind::Config,
    ErrorKind::Connect,
    ErrorKind::Decode,
    ErrorKind::Misuse,
];

struct Row<'a> {
    status: u16,
    kind: ErrorKind,
    engines: &'a str,
    message: String,
}

fn recorded() -> Vec<Row<'static>> {
    let lines = RECORDED.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| row(line).unwrap_or_else(|| panic!("not a row: {line}"))).collect()
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut fields = line.split('\t');
    let status = fields.next()?.parse().ok()?;
    let kind = fields.next()?;
    let kind = *ErrorKind::ALL.iter().find(|known| format!("{known:?}") == kind)?;
    let engines = fields.next()?;
    let message = fields.next()?.replace("\\n", "\n");
    fields.next().is_none().then_some(Row { status, kind, engines, message })
}

#[test]
fn recorded_answers_mean_what_was_asked() {
    let wrong = recorded().into_iter().filter_map(|Row { status, kind, engines, message }| {
        let found = classify(status, &message);
        (found != kind)
            .then(|| format!("{status} {message}\n    of {engines} is {found:?}, not {kind:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_is_sorted_short_and_without_repeats() {
    let rows = recorded();
    assert!(rows.is_sorted_by_key(|row| (format!("{:?}", row.kind), row.status)));
    for (n, row) in rows.iter().enumerate() {
        assert!(row.message.chars().count() <= 200, "{}", row.message);
        let repeated = rows[n + 1..]
            .iter()
            .any(|other| other.status == row.status && other.message == row.message);
        assert!(!repeated, "{} {}", row.status, row.message);
    }
}

#[test]
fn every_kind_an_engine_can_cause_is_recorded() {
    let rows = recorded();
    for kind in ErrorKind::ALL {
        let is_recorded = rows.iter().any(|row| row.kind == *kind);
        assert_eq!(is_recorded, !NEVER_ANSWERED.contains(kind), "{kind:?}");
    }
}

#[test]
fn each_engine_says_the_same_thing_in_its_words() {
    for (kind, answers) in [
        (
            ErrorKind::NameTaken,
            [
                (409, "network with name a already exists"),
                (409, "network name a already used: network already exists"),
                (500, "network name a already used: network already exists"),
            ],
        ),
        (
            ErrorKind::InUse,
            [
                (403, "error while removing network: network a id b has active endpoints"),
                (
                    403,
                    "error while removing network: network a has active endpoints (name:\"c\" id:\"d\")",
                ),
                (
                    500,
                    "\"a\" has associated containers with it. Use -f to forcibly ...: network is being used",
                ),
            ],
        ),
        (
            ErrorKind::PoolOverlap,
            [
                (403, "Pool overlaps with other one on this address space"),
                (403, "invalid pool request: Pool overlaps with other one on this address space"),
                (500, "subnet 10.0.0.0/8 is already used on the host or by another config"),
            ],
        ),
        (
            ErrorKind::AddressesExhausted,
            [
                (500, "no available IPv4 addresses on this network's address pools: n (id)"),
                (
                    500,
                    "failed to set up container networking: no available IPv6 addresses on this network's address \
                     pools: n (id)",
                ),
                (500, "IPAM error: failed to find free IP in range: 10.0.0.1 - 10.0.0.2"),
            ],
        ),
        (
            ErrorKind::InvalidSpec,
            [
                (500, "Invalid subnet foo : invalid CIDR address: foo"),
                (
                    400,
                    "invalid network config:\n* invalid subnet foo: invalid CIDR block notation\n* and more",
                ),
                (500, "failed to parse subnet: invalid CIDR address: foo"),
            ],
        ),
        (
            ErrorKind::NotConnected,
            [
                (500, "container a is not connected to network n"),
                (500, "container a is not connected to the network n"),
                (500, "container a is not connected to network n\n"),
            ],
        ),
        (
            ErrorKind::NoSuchDriver,
            [
                (404, "plugin \"x\" not found"),
                (500, "failed to find driver or plugin \"x\""),
                (500, "unsupported driver x: invalid argument"),
            ],
        ),
        (
            ErrorKind::AddressInUse,
            [
                (403, "failed to set up container networking: Address already in use"),
                (
                    500,
                    "Cannot restart container a: failed to set up container networking: Address already in use",
                ),
                (
                    500,
                    "IPAM error: requested ip address 10.0.0.2 is already allocated to container ID c",
                ),
            ],
        ),
    ] {
        for (status, message) in answers {
            assert_eq!(classify(status, message), kind, "{status} {message}");
        }
    }
}

#[test]
fn a_list_of_mistakes_is_invalid_if_one_of_them_is() {
    let outside = "no configured subnet or ip-range contain the IP address 10.9.9.9";
    let both = format!("invalid endpoint settings:\n* {outside}\n* {outside}");
    assert_eq!(classify(400, &both), ErrorKind::AddressNotInPool);
    let one = format!("invalid endpoint settings:\n* {outside}\n* invalid IPv6 address: foo");
    assert_eq!(classify(400, &one), ErrorKind::InvalidSpec);
}

#[test]
fn unknown_words_mean_what_the_status_says() {
    for status in 300..=599 {
        let expected = match status {
            300..=399 => ErrorKind::Protocol,
            401 | 407 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            408 | 504 => ErrorKind::Timeout,
            409 => ErrorKind::Conflict,
            501 => ErrorKind::NotImplemented,
            503 => ErrorKind::Unavailable,
            400..=499 => ErrorKind::BadRequest,
            _ => ErrorKind::Server,
        };
        for message in [
            "",
            "\n",
            "some wording of tomorrow",
            "network",
            "network ",
            "ö",
            "*",
            ": ",
            "é already exists",
        ] {
            assert_eq!(classify(status, message), expected, "{status} {message:?}");
        }
    }
}

#[test]
fn known_words_with_another_status_are_unknown() {
    assert_eq!(classify(500, "network with name a already exists"), ErrorKind::Server);
    assert_eq!(classify(404, "Address already in use"), ErrorKind::NotFound);
    assert_eq!(classify(503, "container a is not connected to network n"), ErrorKind::Unavailable);
    // A port, not an address.
    assert_eq!(
        classify(500, "listen tcp 0.0.0.0:80: bind: address already in use"),
        ErrorKind::Server
    );
}

/// Docker takes any text for the name of a network.
#[test]
fn names_that_callers_choose_do_not_mislead() {
    let names = recorded().into_iter().map(|row| row.message);
    let names = names.chain(
        [
            "has active endpoints",
            "a already exists",
            "x is ambiguous (2 matches found on name)",
            "bridge is a pre-defined network and cannot be removed",
            "x: Address already in use",
            "failed to set up container networking: Address already in use",
        ]
        .map(String::from),
    );
    for name in names {
        let id = "3b0ff0c42ee5";
        for (status, message, kind) in [
            (409, format!("network with name {name} already exists"), ErrorKind::NameTaken),
            (404, format!("network {name} not found"), ErrorKind::NotFound),
            (
                400,
                format!("network {name} is ambiguous (2 matches found on name)"),
                ErrorKind::AmbiguousName,
            ),
            (
                403,
                format!(
                    "error while removing network: network {name} id {id} has active endpoints"
                ),
                ErrorKind::InUse,
            ),
            (
                403,
                format!(
                    "error while removing network: network {name} has active endpoints (name:\"a\" id:\"{id}\")"
                ),
                ErrorKind::InUse,
            ),
            (
                403,
                format!("endpoint with name a already exists in network {name}"),
                ErrorKind::AlreadyConnected,
            ),
            (
                500,
                format!("container {id} is not connected to network {name}"),
                ErrorKind::NotConnected,
            ),
            (404, format!("plugin \"{name}\" not found"), ErrorKind::NoSuchDriver),
            (404, format!("configuration network \"{name}\" does not exist"), ErrorKind::NotFound),
            (403, format!("configuration network \"{name}\" is in use"), ErrorKind::InUse),
            (
                500,
                format!(
                    "no available IPv4 addresses on this network's address pools: {name} ({id})"
                ),
                ErrorKind::AddressesExhausted,
            ),
            (
                500,
                format!(
                    "network name {name} invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"
                ),
                ErrorKind::InvalidSpec,
            ),
            (400, format!("invalid filter '{name}'"), ErrorKind::BadRequest),
            (
                400,
                format!(
                    "failed to parse com.docker.network.driver.mtu value: {name} (invalid syntax)"
                ),
                ErrorKind::InvalidSpec,
            ),
        ] {
            assert_eq!(classify(status, &message), kind, "{status} {message}");
        }
    }
}

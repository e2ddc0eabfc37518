//! A network as a line of a list.

use std::collections::BTreeMap;
use std::rc::Rc;

use docknet::Network;

use super::containers::Members;
use crate::output::visible;
use crate::template::{Entry, Labels, Time, Value};

/// How much of a network is shown, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) whole_ids: bool,
    /// Whether characters are escaped that a terminal would obey.
    pub(super) escapes: bool,
}

impl Style {
    pub(super) fn text(self, text: &str) -> String {
        if self.escapes { visible(text).into_owned() } else { text.to_owned() }
    }

    pub(super) fn id(self, id: &str) -> String {
        // As docker does, which has ids such as sha256:… elsewhere.
        let short = id.split_once(':').map_or(id, |(_, digits)| digits);
        let short = short.char_indices().nth(12).map_or(short, |(end, _)| &short[..end]);
        self.text(if self.whole_ids { id } else { short })
    }
}

pub(super) fn entry(network: &Network, members: Option<&Members>, style: Style) -> Value {
    let info = network.info();
    let truth = |value: bool| Value::text(value.to_string());
    let text = |text: &str| Value::text(style.text(text));
    let labels: BTreeMap<_, _> =
        info.labels.iter().map(|(key, value)| (style.text(key), style.text(value))).collect();
    let joined: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let created = Time::parse(&info.created).unwrap_or_else(Time::zero);
    let mut fields = BTreeMap::from([
        ("CreatedAt", Value::text(created.to_string())),
        ("Driver", text(info.driver.as_str())),
        ("ID", Value::text(style.id(network.id().as_str()))),
        ("IPv4", truth(info.ipv4 == Some(true))),
        ("IPv6", truth(info.ipv6)),
        ("Internal", truth(info.internal)),
        ("Labels", Value::text(joined.join(","))),
        ("Name", text(network.name())),
        ("Scope", text(info.scope.as_str())),
    ]);
    fields.extend(members.map(|members| ("Containers", members.value(network, style))));
    Value::Entry(Rc::new(Entry { name: "network", fields, labels: Labels::Of(labels) }))
}

/// The names of the columns, for tables.
pub(super) fn head(containers: bool) -> Value {
    let mut names = vec![
        ("CreatedAt", "CREATED AT"),
        ("Driver", "DRIVER"),
        ("ID", "NETWORK ID"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("Name", "NAME"),
        ("Scope", "SCOPE"),
    ];
    if containers {
        names.push(("Containers", "CONTAINERS"));
    }
    let fields = names.into_iter().map(|(field, head)| (field, Value::text(head))).collect();
    Value::Entry(Rc::new(Entry { name: "head", fields, labels: Labels::Head }))
}

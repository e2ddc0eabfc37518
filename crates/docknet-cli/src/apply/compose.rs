//! The networks of a Compose file, named and labelled so that `docker compose up` takes them for its own.

pub(crate) mod variables;

use std::rc::Rc;

use docknet::NetworkSpec;

use super::file::{Context, Words, fields, map, network, text};
use super::yaml::{Entry, Node, Problem, Value};
use super::{Wanted, WantedNetwork};

const PROJECT_LABEL: &str = "com.docker.compose.project";
const NETWORK_LABEL: &str = "com.docker.compose.network";

/// The network of services that name none.
const DEFAULT: &str = "default";

/// The files that Compose looks for.
const NAMES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

const TOP: [&str; 9] = [
    "configs", "include", "models", "name", "networks", "secrets", "services", "version", "volumes",
];

/// Whether it has the name of a Compose file, or what only Compose files have.
pub(super) fn is_compose(document: &Node, file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    if NAMES.contains(&name) {
        return true;
    }
    let Value::Map(entries) = &document.value else { return false };
    entries.iter().any(|entry| entry.key != "networks" && TOP.contains(&entry.key.as_str()))
}

pub(super) fn read(document: &Node, context: &Context, problems: &mut Vec<Problem>) -> Wanted {
    let (mut name, mut listed, mut used) = (None, Vec::new(), Vec::new());
    for entry in fields(document, "a Compose file", &TOP, problems) {
        match entry.key.as_str() {
            "include" => problems.push(Problem::new(entry.place, "`include` is not followed: give one whole file, as `docker compose config` prints it")),
            "name" => {
                let value = variables::filled(&entry.value, &context.variables, problems);
                name = text(&value, "name", problems).map(|name| (name, entry));
            }
            "networks" => {
                let value = variables::filled(&entry.value, &context.variables, problems);
                for entry in map(&value, "networks", problems) {
                    listed.push((entry.clone(), network(entry, Words::Compose, problems)));
                }
            }
            "services" => {
                for service in map(&entry.value, "services", problems) {
                    uses(service, context, &mut used, problems);
                }
            }
            _ => {}
        }
    }
    let project = project(name, context, document, problems);
    for (service, network) in &used {
        let known =
            network.key == DEFAULT || listed.iter().any(|(entry, _)| entry.key == network.key);
        if !known {
            let what = format!(
                "service `{}` has network `{}`, which is not under `networks`",
                service.key, network.key
            );
            problems.push(Problem::new(network.place, what));
        }
    }
    let mut networks: Vec<_> = listed
        .into_iter()
        .map(|(entry, network)| named(entry, network, &project, context))
        .collect();
    let by_default = used.iter().find(|(_, network)| network.key == DEFAULT);
    if let Some((service, _)) =
        by_default.filter(|_| !networks.iter().any(|(key, _)| key == DEFAULT))
    {
        let network = WantedNetwork { spec: NetworkSpec::new(DEFAULT), ..WantedNetwork::default() };
        let entry = Entry { key: DEFAULT.to_owned(), ..service.clone() };
        networks.push(named(entry, network, &project, context));
    }
    Wanted {
        mark: (PROJECT_LABEL.to_owned(), project),
        // A directory is a name enough: so it is with `docker compose down`.
        named: true,
        networks: networks.into_iter().map(|(_, network)| network).collect(),
    }
}

/// A network as Compose calls and labels it, with its key in the file.
fn named(
    entry: Entry,
    mut network: WantedNetwork,
    project: &str,
    context: &Context,
) -> (String, WantedNetwork) {
    network.place = format!("{}:{}", context.file, entry.place);
    if !network.external {
        let has_name = matches!(&entry.value.value, Value::Map(fields) if fields.iter().any(|field| field.key == "name"));
        if !has_name {
            network.spec.name = format!("{project}_{}", entry.key);
        }
        network.spec = network.spec.label(NETWORK_LABEL, &entry.key).label(PROJECT_LABEL, project);
    }
    (entry.key, network)
}

/// The networks of a service, each as an entry whose key is its name.
fn uses(
    service: &Entry,
    context: &Context,
    used: &mut Vec<(Entry, Entry)>,
    problems: &mut Vec<Problem>,
) {
    let mut other = false;
    let mut add = |network: Entry| used.push((service.clone(), network));
    for Entry { key, value, .. } in map(&service.value, "a service", problems) {
        let value = match key.as_str() {
            "networks" => variables::filled(value, &context.variables, problems),
            _ => Rc::clone(value),
        };
        match (key.as_str(), &value.value) {
            ("network_mode" | "provider", _) => other = true,
            ("networks", Value::List(networks)) => {
                other |= !networks.is_empty();
                for node in networks {
                    if let Some(key) = text(node, "networks", problems) {
                        add(Entry { key, place: node.place, ..service.clone() });
                    }
                }
            }
            ("networks", Value::Map(networks)) => {
                other |= !networks.is_empty();
                networks.iter().for_each(|network| add(network.clone()));
            }
            _ => {}
        }
    }
    if !other {
        add(Entry { key: DEFAULT.to_owned(), value: Rc::clone(&service.value), ..service.clone() });
    }
}

/// As given, from the environment, from the file, or the directory's name.
fn project(
    name: Option<(String, &Entry)>,
    context: &Context,
    document: &Node,
    problems: &mut Vec<Problem>,
) -> String {
    let from_environment =
        context.variables.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty());
    let (name, place) = match (context.project.as_ref().or(from_environment), name) {
        (Some(name), _) => (name.clone(), document.place),
        (None, Some((name, entry))) => (name, entry.place),
        (None, None) => {
            let name = normal(&context.directory);
            if name.is_empty() {
                let what = "the project has no name: `--project-name NAME` or `name:` gives it one";
                problems.push(Problem::new(document.place, what));
            }
            return name;
        }
    };
    if name.is_empty() || name != normal(&name) {
        let what = format!(
            "`{name}` is no name of a project: lower-case letters, digits, `-` and `_`, and a letter or a digit first"
        );
        problems.push(Problem::new(place, what));
    }
    name
}

/// A name as Compose makes it of a directory's.
fn normal(name: &str) -> String {
    let mut name = name.to_lowercase();
    name.retain(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_'));
    name.trim_start_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::file;

    fn context() -> Context {
        Context {
            file: "compose.yaml".into(),
            directory: "My_Shop.v2".into(),
            ..Context::default()
        }
    }

    fn names(text: &str, context: &Context) -> Vec<String> {
        let wanted = file::read(text, context).unwrap();
        wanted.networks.iter().map(|network| network.spec.name.clone()).collect()
    }

    fn errors(text: &str) -> Vec<String> {
        file::read(text, &context()).unwrap_err()
    }

    #[test]
    fn networks_are_named_and_labelled_as_compose_does() {
        let text = "services: {web: {networks: [back]}}\nnetworks:\n  back:\n  named: {name: n}\n  out: {external: true}\n";
        let wanted = file::read(text, &context()).unwrap();
        let names: Vec<_> =
            wanted.networks.iter().map(|network| network.spec.name.as_str()).collect();
        assert_eq!(names, ["my_shopv2_back", "n", "out"]);
        assert_eq!(wanted.mark, (PROJECT_LABEL.to_owned(), "my_shopv2".to_owned()));
        let labels: Vec<_> = wanted.networks[0]
            .spec
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(
            labels,
            ["com.docker.compose.network=back", "com.docker.compose.project=my_shopv2"]
        );
        assert!(wanted.networks[2].external && wanted.networks[2].spec.labels.is_empty());
        assert_eq!(wanted.networks[0].place, "compose.yaml:3:3");
    }

    #[test]
    fn the_default_network_is_there_if_a_service_uses_it() {
        assert_eq!(names("services: {web: {image: x}}", &context()), ["my_shopv2_default"]);
        assert_eq!(
            names("services: {web: {networks: {default: {aliases: [w]}}}}", &context()),
            ["my_shopv2_default"]
        );
        assert_eq!(names("services: {web: {network_mode: host}}", &context()), [""; 0]);
        assert_eq!(names("services: {web: }\nnetworks: {default: {name: d}}", &context()), ["d"]);
    }

    #[test]
    fn a_project_is_named_by_the_nearest_who_names_it() {
        let text = "name: file\nservices: {web: }";
        let mut context = context();
        assert_eq!(names(text, &context), ["file_default"]);
        context.variables.insert("COMPOSE_PROJECT_NAME".into(), "env".into());
        assert_eq!(names(text, &context), ["env_default"]);
        context.project = Some("flag".into());
        assert_eq!(names(text, &context), ["flag_default"]);
        context.project = Some("Flag".into());
        assert!(
            file::read(text, &context).unwrap_err()[0].contains("`Flag` is no name of a project")
        );
    }

    #[test]
    fn what_compose_would_refuse_is_refused() {
        assert_eq!(
            errors(
                "services:\n  web:\n    networks: [nowhere]\nnetworks:\n  a: {subnet: x}\nvolume: {}\n"
            ),
            [
                "compose.yaml:3:16: service `web` has network `nowhere`, which is not under `networks`",
                "compose.yaml:5:7: `subnet` is no key of network `a`, which has attachable, driver, driver_opts, \
                 enable_ipv4, enable_ipv6, external, internal, ipam, labels and name",
                "compose.yaml:6:1: `volume` is no key of a Compose file, which has configs, include, models, name, \
                 networks, secrets, services, version and volumes",
            ]
        );
    }
}

//! What containers of an image are made with where they ask for nothing else.

use serde_json::{Map, Value};

use super::Image;

/// Fills what a container's wish leaves open from its image, as Docker merges the two (moby `runconfig`, `Merge`).
pub(crate) fn settle(config: &mut Map<String, Value>, image: &Image) {
    let of_image = |key: &str| image.settings.get(key).filter(|value| !is_empty(value));
    let is_open = |config: &Map<String, Value>, key: &str| config.get(key).is_none_or(is_empty);
    if is_open(config, "Entrypoint") {
        if is_open(config, "Cmd") {
            take(config, "Cmd", of_image("Cmd"));
        }
        // An empty list says that the image's shall not run, and so does one with an empty word.
        if config.get("Entrypoint").is_none_or(Value::is_null) {
            take(config, "Entrypoint", of_image("Entrypoint"));
        }
    }
    if config.get("Entrypoint").and_then(Value::as_array).is_some_and(|words| *words == [""]) {
        config.insert("Entrypoint".to_owned(), Value::Null);
    }
    for key in ["User", "WorkingDir", "StopSignal", "Healthcheck"] {
        if is_open(config, key) {
            take(config, key, of_image(key));
        }
    }
    for key in ["ExposedPorts", "Volumes", "Labels"] {
        let Some(Value::Object(more)) = of_image(key) else { continue };
        match config.get_mut(key) {
            Some(Value::Object(own)) => {
                for (name, value) in more {
                    own.entry(name).or_insert_with(|| value.clone());
                }
            }
            _ => drop(config.insert(key.to_owned(), Value::Object(more.clone()))),
        }
    }
    if let Some(Value::Array(more)) = of_image("Env") {
        let own = config.get("Env").and_then(Value::as_array).cloned().unwrap_or_default();
        let name = |pair: &Value| pair.as_str()?.split('=').next().map(str::to_owned);
        let names: Vec<_> = own.iter().map(name).collect();
        let missing = more.iter().filter(|pair| !names.contains(&name(pair)));
        let all: Vec<_> = own.iter().chain(missing).cloned().collect();
        config.insert("Env".to_owned(), Value::Array(all));
    }
}

fn take(config: &mut Map<String, Value>, key: &str, value: Option<&Value>) {
    if let Some(value) = value {
        config.insert(key.to_owned(), value.clone());
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Does one line of a Dockerfile to an image's settings, as `docker import --change` has them.
///
/// # Errors
/// In Docker's words, if it is none of those that change settings.
pub(crate) fn change(settings: &mut Map<String, Value>, line: &str) -> Result<(), String> {
    let (instruction, rest) =
        line.trim().split_once(char::is_whitespace).unwrap_or_else(|| (line.trim(), ""));
    let (instruction, rest) = (instruction.to_ascii_uppercase(), rest.trim());
    let mut set = |key: &str, value: Value| drop(settings.insert(key.to_owned(), value));
    match instruction.as_str() {
        "CMD" => set("Cmd", command(rest)),
        "ENTRYPOINT" => set("Entrypoint", command(rest)),
        "USER" => set("User", rest.into()),
        "WORKDIR" => set("WorkingDir", rest.into()),
        "STOPSIGNAL" => set("StopSignal", rest.into()),
        "ENV" => {
            let env = settings.entry("Env").or_insert_with(|| Value::Array(Vec::new()));
            for (name, value) in pairs(&instruction, rest)? {
                if let Value::Array(env) = env {
                    let begins = format!("{name}=");
                    env.retain(|pair| !pair.as_str().is_some_and(|pair| pair.starts_with(&begins)));
                    env.push(format!("{begins}{value}").into());
                }
            }
        }
        "LABEL" => {
            let labels = pairs(&instruction, rest)?;
            let labels = labels.into_iter().map(|(name, value)| (name, value.into()));
            extend(settings, "Labels", labels);
        }
        "EXPOSE" => {
            let with_protocol = |port: String| match port.contains('/') {
                true => port,
                false => format!("{port}/tcp"),
            };
            let ports = words(rest).into_iter().map(|port| (with_protocol(port), nothing()));
            extend(settings, "ExposedPorts", ports);
        }
        "VOLUME" => {
            let list: Option<Vec<String>> = serde_json::from_str(rest).ok();
            let paths = list.unwrap_or_else(|| words(rest));
            extend(settings, "Volumes", paths.into_iter().map(|path| (path, nothing())));
        }
        _ => return Err(format!("{instruction} is not a valid change command")),
    }
    Ok(())
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

fn extend(
    settings: &mut Map<String, Value>,
    key: &str,
    more: impl IntoIterator<Item = (String, Value)>,
) {
    if let Value::Object(map) = settings.entry(key).or_insert_with(nothing) {
        map.extend(more);
    }
}

/// A list in JSON, or a line for the shell.
fn command(text: &str) -> Value {
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(words) => Value::from(words),
        Err(_) => Value::from(vec!["/bin/sh", "-c", text]),
    }
}

/// `NAME=value` as often as wanted, or a single `NAME value`.
fn pairs(instruction: &str, text: &str) -> Result<Vec<(String, String)>, String> {
    let words = words(text);
    match words.first() {
        Some(first) if first.contains('=') => words
            .into_iter()
            .map(|word| match word.split_once('=') {
                Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                None => Err(format!(
                    "Syntax error - can't find = in {word:?}. Must be of the form: name=value"
                )),
            })
            .collect(),
        _ => match text.split_once(char::is_whitespace) {
            Some((name, value)) => Ok(vec![(name.to_owned(), value.trim().to_owned())]),
            None => Err(format!("{instruction} must have two arguments")),
        },
    }
}

/// Words with blanks between, or in quotes, or behind a backslash.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut chars) = (Vec::new(), None, None, text.chars());
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_with(String::new).extend(chars.next()),
            ('"' | '\'', None) => {
                quote = Some(char);
                word.get_or_insert_with(String::new);
            }
            (_, Some(open)) if open == char => quote = None,
            (_, None) if char.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_with(String::new).push(char),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settled(config: Value, image: Value) -> Value {
        let (Value::Object(mut config), Value::Object(settings)) = (config, image) else {
            panic!("two objects");
        };
        settle(&mut config, &Image { settings, ..Image::default() });
        Value::Object(config)
    }

    #[test]
    fn what_is_left_open_is_the_images() {
        let image = json!({
            "Cmd": ["serve"], "Entrypoint": ["/app"], "Env": ["PATH=/app", "MODE=calm"], "User": "app",
            "WorkingDir": "/srv", "Labels": {"a": "1", "b": "2"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": null,
        });
        let asked = json!({ "Env": ["MODE=wild"], "Labels": {"b": "3"}, "User": "", "Cmd": null });
        assert_eq!(
            settled(asked, image.clone()),
            json!({
                "Cmd": ["serve"], "Entrypoint": ["/app"], "Env": ["MODE=wild", "PATH=/app"], "User": "app",
                "WorkingDir": "/srv", "Labels": {"a": "1", "b": "3"}, "ExposedPorts": {"80/tcp": {}},
            })
        );
        let own = settled(json!({ "Cmd": ["status"] }), image.clone());
        assert_eq!((&own["Entrypoint"], &own["Cmd"]), (&json!(["/app"]), &json!(["status"])));
        // An image's arguments are for its own program.
        let other = settled(json!({ "Entrypoint": ["sh"] }), image.clone());
        assert_eq!((&other["Entrypoint"], other.get("Cmd")), (&json!(["sh"]), None));
        let none = settled(json!({ "Entrypoint": [""], "Cmd": ["ls"] }), image);
        assert_eq!((&none["Entrypoint"], &none["Cmd"]), (&Value::Null, &json!(["ls"])));
    }

    #[test]
    fn changes_are_lines_of_a_dockerfile() {
        let mut settings = Map::new();
        for line in [
            r#"CMD ["sh", "-c", "ls"]"#,
            "entrypoint top -b",
            "ENV A=1 B='two words' C=a\\ b",
            "ENV A again and again",
            "LABEL by=me",
            "EXPOSE 80 53/udp",
            "VOLUME /data /more",
            "WORKDIR /srv",
            "USER app",
        ] {
            change(&mut settings, line).unwrap();
        }
        assert_eq!(
            Value::Object(settings.clone()),
            json!({
                "Cmd": ["sh", "-c", "ls"], "Entrypoint": ["/bin/sh", "-c", "top -b"],
                "Env": ["B=two words", "C=a b", "A=again and again"], "Labels": {"by": "me"},
                "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Volumes": {"/data": {}, "/more": {}},
                "WorkingDir": "/srv", "User": "app",
            })
        );
        for (line, why) in [
            ("RUN make", "RUN is not a valid change command"),
            ("ENV A=1 B", r#"Syntax error - can't find = in "B". Must be of the form: name=value"#),
            ("LABEL lonely", "LABEL must have two arguments"),
        ] {
            assert_eq!(change(&mut settings, line).unwrap_err(), why);
        }
    }
}

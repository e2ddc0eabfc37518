//! What a program is kept from beside what its capabilities are: `--security-opt`.

use serde_json::{Map, Value};

use super::words;
use crate::core::refusal::Refusal;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Confinement {
    /// System calls that containers have no use for are refused.
    pub(crate) filtered: bool,
    /// No program that it executes gives it more than its user has.
    pub(crate) no_new_privileges: bool,
}

const CAREFUL: Confinement = Confinement { filtered: true, no_new_privileges: true };

/// Refuses what is not known, and what would not be done.
pub(super) fn check(host_config: &Map<String, Value>) -> Result<(), Refusal> {
    read(host_config.get("SecurityOpt")).map(drop).map_err(|why| Refusal::Worded(400, why))
}

impl Confinement {
    /// As a container asked for.
    pub(super) fn of(host_config: &Value) -> Self {
        let privileged = host_config.get("Privileged").and_then(Value::as_bool).unwrap_or_default();
        // What cannot be was refused when it was made, unless that was by a version that did not look.
        let asked = read(host_config.get("SecurityOpt")).unwrap_or(CAREFUL);
        Self { filtered: asked.filtered && !privileged, ..asked }
    }
}

fn read(options: Option<&Value>) -> Result<Confinement, String> {
    let mut all = Confinement { filtered: true, no_new_privileges: false };
    for option in words(options) {
        // The colon is from before Docker 1.11.
        let (name, value) =
            option.split_once('=').or_else(|| option.split_once(':')).unwrap_or((option, ""));
        match (name, value) {
            ("no-new-privileges", "" | "true") => all.no_new_privileges = true,
            ("no-new-privileges", "false") => all.no_new_privileges = false,
            ("seccomp", "unconfined") => all.filtered = false,
            ("seccomp", "builtin") => all.filtered = true,
            ("seccomp", _) => {
                return Err(format!(
                    "invalid --security-opt: {name}: a profile of one's own is not acted on: leave it out for the built-in one, or \
                     write seccomp=unconfined"
                ));
            }
            // There is nothing here that would look at these.
            ("apparmor" | "label" | "systempaths", _) | ("disable", "") => {}
            _ => return Err(format!("invalid --security-opt 2: {option:?}")),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(options: &[&str]) -> Result<Confinement, String> {
        read(Some(&json!(options)))
    }

    #[test]
    fn options_say_what_a_program_is_kept_from() {
        let usual = Confinement { filtered: true, no_new_privileges: false };
        assert_eq!(read(None), Ok(usual));
        assert_eq!(of(&["seccomp=builtin", "apparmor=docker-default", "label:disable"]), Ok(usual));
        let open = Confinement { filtered: false, ..usual };
        assert_eq!(of(&["seccomp=unconfined"]), Ok(open));
        assert_eq!(of(&["seccomp:unconfined"]), Ok(open));
        let kept = Confinement { no_new_privileges: true, ..usual };
        assert_eq!(of(&["no-new-privileges"]), Ok(kept));
        assert_eq!(of(&["no-new-privileges=true"]), Ok(kept));
        assert_eq!(of(&["no-new-privileges:false"]), Ok(usual));
        let privileged = json!({ "Privileged": true, "SecurityOpt": ["no-new-privileges"] });
        assert_eq!(Confinement::of(&privileged), Confinement { filtered: false, ..kept });
        assert_eq!(Confinement::of(&json!({ "SecurityOpt": ["seccomp={}"] })), CAREFUL);
    }

    #[test]
    fn what_would_not_be_done_is_refused() {
        let why = of(&["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"]).unwrap_err();
        assert!(why.contains("seccomp=unconfined") && !why.contains("SCMP"), "{why}");
        let why = of(&["seccmp=unconfined"]).unwrap_err();
        assert_eq!(why, "invalid --security-opt 2: \"seccmp=unconfined\"");
        assert!(of(&["no-new-privileges=perhaps"]).is_err());
    }
}

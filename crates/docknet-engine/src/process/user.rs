//! Users by name, as the files of a container, or of the host, know them.

use std::ffi::OsString;
use std::fs;

use rustix::fs::{Gid, Uid};

/// Who runs a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
    /// Beside that.
    pub(super) groups: Vec<Gid>,
    pub(super) home: OsString,
}

/// Finds `user`, or `user:group`, or their numbers; nobody asked for is root.
pub(super) fn find(text: &str) -> Result<User, String> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let group = fs::read_to_string("/etc/group").unwrap_or_default();
    among(text, &passwd, &group)
}

fn among(text: &str, passwd: &str, groups: &str) -> Result<User, String> {
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let user = if user.is_empty() { "0" } else { user };
    let number: Option<u32> = user.parse().ok();
    let known = match number {
        Some(_) => line(passwd, |fields| fields.get(2) == Some(&user)),
        None => line(passwd, |fields| fields.first() == Some(&user)),
    };
    let field = |at: usize| known.as_ref().and_then(|fields| fields.get(at)).copied();
    let uid = number
        .or_else(|| field(2)?.parse().ok())
        .ok_or_else(|| format!("unable to find user {user}: no matching entries in passwd file"))?;
    let own_group = field(3).and_then(|gid| gid.parse().ok()).unwrap_or(0);
    let gid = match group {
        "" => own_group,
        number if number.parse::<u32>().is_ok() => number.parse().unwrap_or_default(),
        name => line(groups, |fields| fields.first() == Some(&name))
            .and_then(|fields| fields.get(2)?.parse().ok())
            .ok_or_else(|| {
                format!("unable to find group {name}: no matching entries in group file")
            })?,
    };
    // Who names a group wants that one only.
    let name = field(0).filter(|_| group.is_empty());
    let of_name = |line: &str| -> Option<u32> {
        let fields: Vec<&str> = line.split(':').collect();
        let is_member = fields.get(3)?.split(',').any(|member| Some(member) == name);
        fields.get(2)?.parse().ok().filter(|_| is_member)
    };
    Ok(User {
        uid: Uid::from_raw(uid),
        gid: Gid::from_raw(gid),
        groups: groups.lines().filter_map(of_name).map(Gid::from_raw).collect(),
        home: field(5).filter(|home| !home.is_empty()).unwrap_or("/").into(),
    })
}

fn line(file: &str, is: impl Fn(&[&str]) -> bool) -> Option<Vec<&str>> {
    file.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| is(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001::/home/alice:/bin/sh\n";
        let groups = "root:x:0:\nstaff:x:50:alice,bob\naudio:x:29:bob\n";
        let find = |text| {
            let User { uid, gid, groups, home } = among(text, passwd, groups)?;
            let groups: Vec<u32> = groups.into_iter().map(Gid::as_raw).collect();
            Ok::<_, String>((uid.as_raw(), gid.as_raw(), groups, home.into_string().unwrap()))
        };
        let alice =
            |gid, groups: &[u32]| Ok((1000, gid, groups.to_vec(), "/home/alice".to_owned()));
        assert_eq!(find(""), Ok((0, 0, vec![], "/root".to_owned())));
        assert_eq!(find("alice"), alice(1001, &[50]));
        assert_eq!(find("1000"), alice(1001, &[50]));
        assert_eq!(find("alice:staff"), alice(50, &[]));
        assert_eq!(find("7"), Ok((7, 0, vec![], "/".to_owned())));
        assert_eq!(find("7:8"), Ok((7, 8, vec![], "/".to_owned())));
        assert!(find("bob").unwrap_err().contains("unable to find user bob"));
        assert!(find("alice:wheel").unwrap_err().contains("unable to find group wheel"));
    }
}

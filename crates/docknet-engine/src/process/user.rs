//! Users by name, as the files of a container, or of the host, know them.

use std::ffi::OsString;

use rustix::fs::{Gid, Uid};

use super::read_file;

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
    let passwd = read_file("/etc/passwd").unwrap_or_default();
    let group = read_file("/etc/group").unwrap_or_default();
    among(text, &passwd, &group)
}

/// A number that can be somebody's: the largest ones mean to change nothing.
fn number(text: &str) -> Option<Result<u32, String>> {
    let number: u64 = text.parse().ok()?;
    let number = u32::try_from(number).ok().filter(|number| *number <= LAST);
    Some(number.ok_or_else(|| format!("uids and gids must be in range 0-{LAST}")))
}

const LAST: u32 = i32::MAX.unsigned_abs();

fn among(text: &str, passwd: &str, groups: &str) -> Result<User, String> {
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let user = if user.is_empty() { "0" } else { user };
    let numbered = number(user).transpose()?;
    let known = match numbered {
        Some(_) => line(passwd, |fields| fields.get(2) == Some(&user)),
        None => line(passwd, |fields| fields.first() == Some(&user)),
    };
    let field = |at: usize| known.as_ref().and_then(|fields| fields.get(at)).copied();
    let uid = match numbered {
        Some(uid) => uid,
        None => field(2).and_then(number).unwrap_or_else(|| {
            Err(format!("unable to find user {user}: no matching entries in passwd file"))
        })?,
    };
    let own_group = field(3).and_then(number).unwrap_or(Ok(0));
    let gid = match (group, number(group)) {
        ("", _) => own_group?,
        (_, Some(gid)) => gid?,
        (name, None) => line(groups, |fields| fields.first() == Some(&name))
            .and_then(|fields| number(fields.get(2)?))
            .unwrap_or_else(|| {
                Err(format!("unable to find group {name}: no matching entries in group file"))
            })?,
    };
    // Who names a group wants that one only.
    let name = field(0).filter(|_| group.is_empty());
    let of_name = |line: &str| -> Option<u32> {
        let fields: Vec<&str> = line.split(':').collect();
        let is_member = fields.get(3)?.split(',').any(|member| Some(member) == name);
        number(fields.get(2)?)?.ok().filter(|_| is_member)
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
        for beyond in ["4294967295", "2147483648", "7:4294967295", "99999999999"] {
            assert_eq!(find(beyond).unwrap_err(), "uids and gids must be in range 0-2147483647");
        }
        assert!(among("odd", "odd:x:4294967295:0::/:/bin/sh\n", "").is_err());
        assert!(find("bob").unwrap_err().contains("unable to find user bob"));
        assert!(find("alice:wheel").unwrap_err().contains("unable to find group wheel"));
    }
}

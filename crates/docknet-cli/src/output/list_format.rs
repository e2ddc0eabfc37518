//! `--format` of lists, as the docker CLI reads it.

use crate::output::columns;
use crate::template::{Mode, Template, TemplateError, Value};

/// A template for each line of a list, or for each row of a table with a head.
#[derive(Debug)]
pub(crate) struct ListFormat {
    template: Template,
    layout: Layout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Lines,
    Table,
}

impl ListFormat {
    /// Reads `json`, `table TEMPLATE` or `TEMPLATE`. In a template, `\t` and `\n` outside of quotes, and inside, are a
    /// tab and a new line.
    pub(crate) fn parse(source: &str) -> Result<Self, TemplateError> {
        let (layout, source) = match source.strip_prefix("table") {
            Some(template) => (Layout::Table, template),
            None if source == "json" => (Layout::Lines, "{{json .}}"),
            None => (Layout::Lines, source),
        };
        let source = source.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n");
        Ok(Self { template: Template::parse(&source)?, layout })
    }

    /// All lines; the head is for tables only.
    pub(crate) fn render(&self, head: &Value, entries: &[Value]) -> Result<String, TemplateError> {
        let mut lines = String::new();
        for entry in entries {
            self.template.execute(entry, Mode::Lenient, &mut lines)?;
            lines.push('\n');
        }
        if self.layout == Layout::Lines {
            return Ok(lines);
        }
        let mut table = String::new();
        // As docker does: the head ends where the template does not fit it.
        let _ = self.template.execute(head, Mode::Header, &mut table);
        table.push('\n');
        Ok(columns(&(table + &lines)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::rc::Rc;

    use super::*;
    use crate::template::{Entry, Labels};

    fn rendered(format: &str) -> String {
        let entry = |name: &str, driver: &str, labels| {
            let fields =
                BTreeMap::from([("Name", Value::text(name)), ("Driver", Value::text(driver))]);
            Value::Entry(Rc::new(Entry { name: "entry", fields, labels }))
        };
        let labels = || Labels::Of(BTreeMap::from([("com.app-name".to_owned(), "x".to_owned())]));
        let entries = [entry("a&b", "bridge", labels()), entry("backend", "macvlan", labels())];
        let format = ListFormat::parse(format).unwrap();
        format.render(&entry("NAME", "DRIVER", Labels::Head), &entries).unwrap()
    }

    #[test]
    fn a_table_has_a_head_with_the_names_of_its_columns() {
        assert_eq!(
            rendered(r#"table {{upper .Name}}\t{{.Driver}}\t{{.Label "com.app-name"}}"#),
            "NAME      DRIVER    app name\nA&B       bridge    x\nBACKEND   macvlan   x\n"
        );
    }

    #[test]
    fn a_head_ends_where_the_template_does_not_fit_it() {
        assert_eq!(rendered(r"table {{.Name}} {{json .}}").lines().next(), Some("NAME "));
    }

    #[test]
    fn lines_have_no_head() {
        assert_eq!(rendered(r"{{.Name}}\t{{.Driver}}"), "a&b\tbridge\nbackend\tmacvlan\n");
        assert_eq!(
            rendered("json"),
            "{\"Driver\":\"bridge\",\"Name\":\"a\\u0026b\"}\n{\"Driver\":\"macvlan\",\"Name\":\"backend\"}\n"
        );
    }
}

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn bridge() -> Value {
    network(&json!({
        "Name": "bridge", "Id": "30b9671cd3e8", "Created": "2026-11-25T05:47:56.504169124Z",
        "Scope": "local", "Driver": "bridge", "EnableIPv4": true, "EnableIPv6": false,
        "IPAM": {"Driver": "default", "Options": null, "Config": [
            {"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]},
        "Containers": {
            "4f66": {"Name": "web", "EndpointID": "e1", "MacAddress": "02:42", "IPv4Address": "172.17.0.2/16", "IPv6Address": ""},
            "1a2b": {"Name": "db", "EndpointID": "e2", "MacAddress": "02:43", "IPv4Address": "172.17.0.3/16", "IPv6Address": ""}},
        "Options": {"com.docker.network.driver.mtu": "1500"}, "Labels": {"b": "<2>", "a": "1"}
    }))
    .unwrap()
}

fn rendered(template: &str) -> String {
    let mut out = String::new();
    match Template::parse(template)
        .and_then(|template| template.execute(&bridge(), Mode::Lenient, &mut out))
    {
        Ok(()) => out,
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn templates_print_what_go_prints() {
    for (template, expected) in [
        ("plain", "plain"),
        ("{{.Name}} {{ .ID }}", "bridge 30b9671cd3e8"),
        ("{{.IPAM}}", "{default map[] [{172.17.0.0/16  172.17.0.1 map[]}]}"),
        ("{{.IPAM.Config}}", "[{172.17.0.0/16  172.17.0.1 map[]}]"),
        ("{{.Labels}}{{.EnableIPv4}}{{.ConfigFrom}}{{.Peers}}", "map[a:1 b:<2>]true{}[]"),
        ("{{.Created}}", "2026-11-25 05:47:56.504169124 +0000 UTC"),
        ("{{.Labels.a}} {{.Labels.zzz}} {{.Labels.zzz.deeper}}", "1 <no value> <no value>"),
        ("{{range .IPAM.Config}}{{.Subnet}};{{end}}", "172.17.0.0/16;"),
        ("{{(index .IPAM.Config 0).Gateway}}", "172.17.0.1"),
        ("{{range $id, $c := .Containers}}{{$id}}={{$c.Name}} {{end}}", "1a2b=db 4f66=web "),
        ("{{range $i, $c := .Containers}}{{$.Name}}{{end}}", "bridgebridge"),
        ("{{range .Containers}}{{.Name}}{{break}}{{end}}", "db"),
        ("{{range .Containers}}{{if eq .Name \"db\"}}{{continue}}{{end}}{{.Name}}{{end}}", "web"),
        ("{{range 3}}{{.}}{{end}}{{range .Peers}}x{{else}}none{{end}}", "012none"),
        ("{{len .Containers}} {{len .Labels}} {{len .Name}}", "2 2 6"),
        ("{{json .Labels}}{{json .Peers}}", r#"{"a":"1","b":"<2>"}null"#),
        (
            "{{.IPAM | json}}",
            r#"{"Driver":"default","Options":null,"Config":[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]}"#,
        ),
        ("{{if .EnableIPv6}}6{{else if .EnableIPv4}}4{{else}}-{{end}}", "4"),
        ("{{with .Labels.zzz}}{{.}}{{else with .Labels.a}}a={{.}}{{else}}no{{end}}", "a=1"),
        ("{{with $x := .Name}}{{$x}}{{.}}{{end}}", "bridgebridge"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"),
        ("{{$x := 1}}{{if true}}{{$x := 2}}{{end}}{{$x}}", "1"),
        ("a {{- /* no */ -}} b", "ab"),
        ("a {{- .Name -}} b", "abridgeb"),
        ("{{.Name | upper | printf \"%s-%s\" \"x\"}}", "x-BRIDGE"),
        ("{{join (split .Name \"i\") \"|\"}}", "br|dge"),
        ("{{title \"my little_net d'or\"}}", "My Little_net D'Or"),
        ("{{pad .Name 1 2}}|{{truncate .Name 3}}", " bridge  |bri"),
        ("{{slice .Name 1 3}}{{index .Name 0}}", "ri98"),
        ("{{print 1 2 \"a\" \"b\" 3 4}}|{{println 1 \"a\"}}", "1 2ab3 4|1 a\n"),
        ("{{print 1 2}}", "1 2"),
        (
            "{{eq .Name \"x\" \"bridge\"}} {{ne 1 2}} {{lt 1 2}} {{ge \"b\" \"a\"}}",
            "true true true true",
        ),
        ("{{and 1 0 2}} {{or 0 \"\" 5}} {{not .Peers}}", "0 5 true"),
        (
            "{{printf \"%q %5d %-4s| %05d %x %v %.2s %T %t\" \"a\" 7 \"b\" 42 255 .EnableIPv4 \"xyz\" .Name true}}",
            "\"a\"     7 b   | 00042 ff true xy string true",
        ),
        (
            "{{printf \"%d\" \"a\"}} {{printf \"%s\"}} {{printf \"a\" 1}}",
            "%!d(string=a) %!s(MISSING) a%!(EXTRA int=1)",
        ),
        (
            "{{printf \"%+v\" (index .IPAM.Config 0)}}",
            "{Subnet:172.17.0.0/16 IPRange: Gateway:172.17.0.1 AuxAddress:map[]}",
        ),
        (
            "{{printf \"%[2]s %[1]s\" 1 \"b\"}} {{printf \"%e %U\" 1.5 65}} {{printf \"%#v\" .Name}}",
            "b %!s(int=1) 1.500000e+00 U+0041 \"bridge\"",
        ),
        ("{{html \"<a>\"}} {{urlquery \"a b/c\"}} {{js \"it's\"}}", "&lt;a&gt; a+b%2Fc it\\'s"),
        ("{{1.5}} {{1e3}} {{1e21}} {{0x10}} {{'a'}} {{`raw\\n`}}", "1.5 1000 1e+21 16 97 raw\\n"),
        ("{{\"\\x41\\u00e9\\t\"}}", "Aé\t"),
        ("{{index .Labels \"zzz\"}}|{{(index .Containers \"zzz\").Name}}|", "||"),
        ("{{eq .Labels nil}} {{eq .Peers nil}}", "false true"),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (template, expected) in [
        ("{{.Name", "unclosed action: `}}` is missing (line 1, column 1)"),
        ("a\n  {{foo .}}", "function \"foo\" not defined (line 2, column 5)"),
        ("{{.Foo}}", "can't evaluate field Foo in type network.Inspect (line 1, column 3)"),
        ("{{.Name.Foo}}", "can't evaluate field Foo in type string (line 1, column 3)"),
        ("{{if .Name}}", "`{{if}}` has no `{{end}}` (line 1, column 1)"),
        ("{{end}}", "unexpected `{{end}}` (line 1, column 1)"),
        ("{{$x}}", "undefined variable \"$x\" (line 1, column 3)"),
        ("{{range .Name}}{{end}}", "range can't iterate over string (line 1, column 9)"),
        (
            "{{join .Labels \",\"}}",
            "cannot call `join`: wrong type for value; expected []string; got map[string]string (line 1, column 3)",
        ),
        (
            "{{eq .Name 1}}",
            "cannot call `eq`: incompatible types for comparison: string and int (line 1, column 3)",
        ),
        (
            "{{index .IPAM.Config 7}}",
            "cannot call `index`: index out of range: 7 (line 1, column 3)",
        ),
        (
            "{{range $i, $j := 2}}{{end}}",
            "can't use a number to iterate over more than one variable (line 1, column 9)",
        ),
        (
            "{{printf \"%#v\" .Labels}}",
            "cannot call `printf`: `%#v` of map[string]string is not supported (line 1, column 3)",
        ),
        ("{{define \"x\"}}{{end}}", "`define` is not supported (line 1, column 1)"),
        ("{{break}}", "`{{break}}` outside `{{range}}` (line 1, column 1)"),
        ("{{}}", "missing value for command (line 1, column 3)"),
        ("{{1 | 2}}", "non executable command in pipeline stage 2 (line 1, column 7)"),
        ("{{len}}", "cannot call `len`: wrong number of arguments: 0 (line 1, column 3)"),
    ] {
        assert_eq!(rendered(template), format!("error: {expected}"), "{template}");
    }
}

#[test]
fn a_map_may_be_asked_to_have_what_is_wanted() {
    let value = raw(&json!({"a": {"b": null}, "n": 1.50}));
    let mut out = String::new();
    let mut run =
        |template| Template::parse(template).unwrap().execute(&value, Mode::Strict, &mut out);
    assert!(run("{{.n}} {{json .}} {{.a.b}}").is_ok());
    assert!(run("{{.c}}").is_err());
    assert!(run("{{.a.b.c}}").is_err());
    assert_eq!(out, "1.5 {\"a\":{\"b\":null},\"n\":1.5} <no value>");
}

#[test]
fn nesting_has_an_end() {
    for (open, close) in [("{{if 1}}", "{{end}}"), ("{{if 1}}{{else ", "")] {
        let template = open.repeat(100_000) + &close.repeat(100_000);
        assert!(Template::parse(&template).is_err());
    }
    let elses = "{{if 0}}".to_owned() + &"{{else if 0}}".repeat(100_000) + "{{end}}";
    assert!(Template::parse(&elses).is_err());
    let parens = format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Template::parse(&parens).unwrap_err().to_string().contains("nested deeper"));
}

/// Pieces that a template may be made of, in any order.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        ".",
        ".Name",
        ".IPAM.Config",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        "|",
        "(",
        ")",
        "if",
        "else",
        "end",
        "range",
        "with",
        "break",
        "eq",
        "index",
        "printf",
        "json",
        "join",
        "len",
        "slice",
        "\"%d %s\"",
        "\"",
        "`",
        "'",
        "'a'",
        "1",
        "-1",
        "0x1F ",
        "1e9",
        "99999999999999999999",
        "nil",
        "true",
        "/*",
        "*/",
        "\\",
        "é",
        "\n",
        "{{end}}",
        "{{range .Containers}}",
        "{{if ",
        "truncate",
        "pad",
        "\"%*d\"",
        "and",
        "or",
        "not",
        "lt",
    ])
}

proptest! {
    #[test]
    fn no_text_makes_a_template_panic(text in ".{0,60}") {
        let _ = rendered(&text);
        let _ = rendered(&format!("{{{{{text}}}}}"));
    }

    #[test]
    fn no_mixture_of_pieces_makes_a_template_panic(pieces in prop::collection::vec(piece(), 0..24)) {
        let _ = rendered(&pieces.concat());
        let _ = rendered(&format!("{{{{{}}}}}", pieces.join(" ")));
    }
}

use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    GoRegex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
}

fn full(pattern: &str, text: &str) -> bool {
    GoRegex::anchored(pattern, false).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
}

#[test]
fn what_the_two_syntaxes_read_differently_is_read_as_go_reads_it() {
    // Pattern, texts that match, texts that do not.
    let cases: &[(&str, &[&str], &[&str])] = &[
        (r"^\d$", &["5"], &["٣"]),
        (r"^\w$", &["a", "_", "9"], &["é"]),
        (r"^\W$", &["é", "-"], &["a"]),
        (r"^\s$", &[" ", "\t", "\x0c"], &["\x0b", "\u{a0}"]),
        (r"\bé", &["aé"], &["é", " é"]),
        (r"a\B", &["ab"], &["a", "aé"]),
        (r"{foo}", &["x{foo}"], &["foo"]),
        (r".*{.*", &["a{b"], &["ab"]),
        (r"^a{,5}$", &["a{,5}"], &["aa"]),
        (r"^a{2}$", &["aa"], &["a", "aaa"]),
        (r"^a{01}$", &["a{01}"], &["a"]),
        (r"^[[a]$", &["[", "a"], &["b"]),
        (r"^[a&&b]$", &["a", "&", "b"], &["c"]),
        (r"^[a~~b]$", &["~"], &["c"]),
        (r"^[]a]$", &["]", "a"], &["b"]),
        (r"^[^]a]$", &["b", "\n"], &["]", "a"]),
        (r"^[a-]$", &["a", "-"], &["b"]),
        (r"^[-a]$", &["a", "-"], &["b"]),
        (r"^[\d-z]$", &["5", "-", "z"], &["y"]),
        (r"^[\D]$", &["x"], &["5"]),
        (r"^[^\D]$", &["5"], &["x"]),
        (r"^\Qa.b\E+$", &["a.b", "a.bb"], &["axb"]),
        (r"^\Qa.b", &["a.b"], &["axb"]),
        (r"^\123$", &["S"], &["123"]),
        (r"^\0$", &["\0"], &["0"]),
        (r"^\x41\x{e9}$", &["Aé"], &["A"]),
        (r"^\a\f\n\r\t\v$", &["\x07\x0c\n\r\t\x0b"], &[""]),
        (r"^\p{^Greek}$", &["a"], &["α"]),
        (r"^\P{^Greek}$", &["α"], &["a"]),
        (r"^\pL\p{Nd}$", &["é٣"], &["3a"]),
        (r"^[[:alpha:][:^ascii:]]$", &["a", "é"], &["5"]),
        (r"^\<a\>$", &["<a>"], &["a"]),
        (r"^(?i)straße|K$", &["STRAßE", "\u{212a}"], &["x"]),
        (r"^(?i:a)b$", &["Ab"], &["AB"]),
        (r"^a(?i)b|c$", &["aB", "C"], &["A"]),
        (r"^(?i)[^k]$", &["x"], &["K", "\u{212a}"]),
        (r"a.b", &["axb"], &["a\nb"]),
        (r"(?s)a.b", &["a\nb"], &["ab"]),
        (r"(?s-s:a.b)", &["axb"], &["a\nb"]),
        (r"^a$", &["a"], &["a\n", "b\na"]),
        (r"(?m)^a$", &["b\na\nc"], &["ba"]),
        (r"(?U)^a+?$", &["aa"], &["b"]),
        (r"^\x{d800}$", &[], &["\u{fffd}"]),
        (r"^[\x{d000}-\x{dfff}]$", &["\u{d000}"], &["\u{e000}"]),
        (r"^(?:^a*)*$", &["aa", ""], &["b"]),
        (r"a||b", &["", "x"], &[]),
        (r"^(?P<x>a)(?P<x>b)(?<y_1>c)$", &["abc"], &["ab"]),
        (r"^\_\-\.$", &["_-."], &["x"]),
        (r"^a #b$", &["a #b"], &["a"]),
    ];
    for (pattern, good, bad) in cases {
        for text in *good {
            assert!(matches(pattern, text), "{pattern} should match {text:?}");
        }
        for text in *bad {
            assert!(!matches(pattern, text), "{pattern} should not match {text:?}");
        }
    }
}

#[test]
fn what_go_refuses_is_refused_in_gos_words() {
    let cases = [
        (r"(a", "missing closing ): `(a`"),
        (r"a)", "unexpected ): `a)`"),
        (r"[a", "missing closing ]: `[a`"),
        (r"x[a-", "missing closing ]: `[a-`"),
        (r"[b-a]", "invalid character class range: `b-a`"),
        (r"[a--b]", "invalid character class range: `a--`"),
        (r"[a-\d]", "invalid escape sequence: `\\d`"),
        (r"[[:foo:]]", "invalid character class range: `[:foo:]`"),
        (r"*", "missing argument to repetition operator: `*`"),
        (r"a|*", "missing argument to repetition operator: `*`"),
        (r"(+)", "missing argument to repetition operator: `+`"),
        (r"a**", "invalid nested repetition operator: `**`"),
        (r"a???", "invalid nested repetition operator: `???`"),
        (r"a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        (r"a{1001}", "invalid repeat count: `{1001}`"),
        (r"a{3,2}", "invalid repeat count: `{3,2}`"),
        (r"a{99999999999}", "invalid repeat count: `{99999999999}`"),
        (r"((a{100}){100}){100}", "invalid repeat count: `{100}`"),
        (r"(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        (r"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"),
        (r"(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        (r"(?!a)", "invalid or unsupported Perl syntax: `(?!`"),
        (r"(?P<n", "invalid named capture: `(?P<n`"),
        (r"(?P<n m>a)", "invalid named capture: `(?P<n m>`"),
        (r"(?P=n)", "invalid or unsupported Perl syntax: `(?P`"),
        (r"\1", "invalid escape sequence: `\\1`"),
        (r"\8", "invalid escape sequence: `\\8`"),
        (r"\Z", "invalid escape sequence: `\\Z`"),
        (r"\C", "invalid escape sequence: `\\C`"),
        (r"\u0041", "invalid escape sequence: `\\u`"),
        (r"\x{110000}", "invalid escape sequence: `\\x{110000`"),
        (r"\é", "invalid escape sequence: `\\é`"),
        (r"a\", "trailing backslash at end of expression: ``"),
        (r"\p{Nope}", "invalid character class range: `\\p{Nope}`"),
        (r"\p{Script=Greek}", "invalid character class range: `\\p{Script=Greek}`"),
        (r"\p{Alphabetic}", "invalid character class range: `\\p{Alphabetic}`"),
    ];
    for (pattern, want) in cases {
        let error = GoRegex::new(pattern).unwrap_err();
        assert_eq!(error.to_string(), format!("error parsing regexp: {want}"), "{pattern}");
    }
    assert_eq!(
        GoRegex::anchored("(a", false).unwrap_err().to_string(),
        "error parsing regexp: missing closing ): `^(?:(a)$`"
    );
}

#[test]
fn nesting_and_size_are_bounded() {
    let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(
        GoRegex::new(&deep).unwrap_err().to_string().starts_with("error parsing regexp: expression nests too deeply")
    );
    let nested = format!("{}a{}", "(".repeat(200), ")".repeat(200));
    assert!(matches(&nested, "a"));
    assert_eq!(
        GoRegex::new(r"(\pL{10}){100}|(\pL{11}){90}|(\pL{10}){99}").map(|_| ()).unwrap_err(),
        RegexError::TooLarge
    );
    assert!(full(r"\w{1000}", &"a".repeat(1000)));
}

#[test]
fn an_anchored_pattern_matches_the_whole_text() {
    assert!(full("a|b", "b"));
    assert!(!full("a|b", "ab"));
    assert!(full("a)|(?:b", "b"));
    assert!(full("", ""));
    assert!(!full("", "a"));
    assert!(!full(".*", "a\nb"));
    assert!(GoRegex::anchored(".*", true).unwrap().is_match("a\nb"));
    assert!(!full("a", "a\n"));
}

/// Every fast path must say what the automaton says.
#[test]
fn fast_paths_agree_with_the_automaton() {
    let patterns = [
        "foo",
        "foo|bar|baz",
        "(foo|bar)-[0-9]",
        "host-(a|b)(1|2)?",
        "(?:a|b|)",
        "foo.*",
        ".*foo",
        ".*foo.*",
        "foo.+",
        ".+",
        ".*",
        ".+foo.+",
        "foo.*bar",
        "a.*b.*c",
        "a.+b.*c",
        "(foo.*)",
        "^foo$",
        "^(foo|bar)$",
        "foo|bar.*",
        "foo|^bar$|b.z",
        "(?i)foo",
        "(?i)1-2",
        "foo\\.bar",
        "[abc]",
        "[^a]",
        "\\d",
        "a{2,3}",
        "a{0}",
        "a?b",
        ".*.*",
        ".*.+",
        "foo\n.*",
        "(?s)foo.*",
        "(?s:.*)o",
        "((a|b)|(c))",
        "()",
        "é.*",
        ".+é",
        "a|b||",
        "x*",
        "\\Qa|b\\E",
    ];
    let texts = [
        "", "a", "b", "c", "ab", "abc", "foo", "FOO", "bar", "baz", "foobar", "barfoo", "foo-1", "bar-9", "xfoox",
        "foo\n", "\nfoo", "foo\nbar", "foo\nx", "host-a", "host-a1", "host-b2", "host-c", "aXbYc", "a\nb", "aa", "aaa",
        "1-2", "foo.bar", "fooxbar", "é", "éa", "aé", "xfoo", "axxbc", "a|b", "5", "xx", "o", "\n",
    ];
    for pattern in patterns {
        for dot_all in [false, true] {
            let regex = GoRegex::anchored(pattern, dot_all).unwrap();
            let automaton = compile(&regex.0.translated).unwrap();
            for text in texts {
                assert_eq!(regex.is_match(text), automaton.is_match(text), "{pattern} on {text:?}, dot_all {dot_all}");
            }
        }
    }
}

#[test]
fn plans_are_the_cheapest_that_fit() {
    let kind = |pattern: &str| match GoRegex::anchored(pattern, false).unwrap().0.plan {
        Plan::Literal(_) => "literal",
        Plan::OneOf(_) => "one of",
        Plan::Parts(_) => "parts",
        Plan::OneOfOr(..) => "one of or",
        Plan::Automaton(_) => "automaton",
    };
    let cases = [
        ("foo", "literal"),
        ("^foo$", "literal"),
        ("foo|bar", "one of"),
        ("(foo|bar)-[0-9]", "one of"),
        ("foo.*", "parts"),
        (".*foo.*", "parts"),
        (".+", "parts"),
        ("foo|bar.*", "one of or"),
        ("fo+", "automaton"),
        ("(?i)foo", "automaton"),
    ];
    for (pattern, want) in cases {
        assert_eq!(kind(pattern), want, "{pattern}");
    }
}

#[test]
fn ten_thousand_names_are_one_lookup() {
    let names: Vec<String> = (0..10_000).map(|n| format!("host-{n}.example.com")).collect();
    let regex = GoRegex::anchored(&names.join("|").replace('.', "\\."), true).unwrap();
    assert!(matches!(regex.0.plan, Plan::OneOf(_)));
    assert!(regex.is_match("host-9999.example.com"));
    assert!(!regex.is_match("host-9999xexample.com"));
}

#[test]
fn replacements_are_gos() {
    let cases = [
        ("a(x*)b", "-ab-axxb-", "T", "-T-T-"),
        ("a(x*)b", "-ab-axxb-", "$1", "--xx-"),
        ("a(x*)b", "-ab-axxb-", "$1W", "---"),
        ("a(x*)b", "-ab-axxb-", "${1}W", "-W-xxW-"),
        ("(?P<n>x+)", "axxb", "<$n>", "a<xx>b"),
        ("(?<n>x+)", "axxb", "<${n}>", "a<xx>b"),
        ("(?P<n>y)?(?P<n>x)", "x", "$n", "x"),
        ("x", "axb", "$$", "a$b"),
        ("x", "axb", "$", "a$b"),
        ("x", "axb", "${", "a${b"),
        ("x", "axb", "$-1", "a$-1b"),
        ("x", "axb", "$0$0", "axxb"),
        ("x", "axb", "$00", "ab"),
        ("x", "axb", "$9$nope", "ab"),
        ("a*", "baaac", "x", "xbxcx"),
        ("", "ab", "-", "-a-b-"),
    ];
    for (pattern, text, replacement, want) in cases {
        assert_eq!(GoRegex::new(pattern).unwrap().replace_all(text, replacement), want, "{pattern} {replacement}");
    }
    let anchored = GoRegex::anchored("(foo|bar)-.*", true).unwrap();
    assert_eq!(anchored.expand("bar-1", "$1"), Some("bar".to_owned()));
    assert_eq!(anchored.expand("baz-1", "$1"), None);
}

#[test]
fn equality_is_of_patterns_and_anchors() {
    assert_eq!(GoRegex::new("a").unwrap(), GoRegex::new("a").unwrap());
    assert_ne!(GoRegex::new("a").unwrap(), GoRegex::anchored("a", false).unwrap());
}

proptest::proptest! {
    /// Whatever is parsed can be translated: the crate never refuses what the parser let through.
    #[test]
    fn every_accepted_pattern_translates(pattern in "[ab(|)*+?{}0-9,\\[\\]^$.\\\\:\\-PQdwspLE<>imU&~ é]{0,24}") {
        for built in [GoRegex::new(&pattern), GoRegex::anchored(&pattern, true)] {
            if let Err(RegexError::Untranslatable(why)) = built {
                panic!("{pattern}: {why}");
            }
        }
    }
}

use super::*;

fn surroundings(env: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        env: env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        current_dir: "/nowhere".into(),
        home: Some("/home/me".into()),
    }
}

fn words(line: &str) -> Vec<String> {
    // Words in single quotes may hold spaces.
    let mut words = vec!["rbt".to_owned()];
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

fn flags_in(line: &str, env: &[(&str, &str)]) -> Flags {
    match parse(&words(line), &surroundings(env)) {
        Ok(flags) => flags,
        Err(stop) => panic!("{line}: {stop:?}"),
    }
}

fn flags(line: &str) -> Flags {
    flags_in(line, &[])
}

fn refusal(line: &str) -> String {
    match parse(&words(line), &surroundings(&[])) {
        Err(Stop::Usage(text)) => text,
        other => panic!("{line}: {other:?}"),
    }
}

/// The flags that a line sets, beyond those that every line has.
fn set(line: &str) -> String {
    let flags = flags(line);
    let all = serde_json::to_value(&flags).unwrap();
    let set: Map<_, _> = flags.given.iter().map(|name| (name.clone(), all[name].clone())).collect();
    format!("{:?} {}", flags.which, serde_json::to_string(&set).unwrap())
}

#[test]
fn lines_become_flags() {
    let cases = [
        ("build", r#"Build {}"#),
        ("run --select a b c", r#"Run {"select":["a","b","c"]}"#),
        ("run -s a -s b", r#"Run {"select":["a","b"]}"#),
        ("run --select 'a b' --exclude c", r#"Run {"exclude":["c"],"select":["a","b"]}"#),
        ("run --models a --model b -m c", r#"Run {"select":["a","b","c"]}"#),
        ("run --select=a,b+", r#"Run {"select":["a,b+"]}"#),
        ("run -s +a 1+b+2 @c", r#"Run {"select":["+a","1+b+2","@c"]}"#),
        ("ls -m a -s b", r#"List {"models":["a"],"select":["b"]}"#),
        (
            "list --output json --output-keys name config.x",
            r#"List {"output":"json","output_keys":["name","config.x"]}"#,
        ),
        ("-d run -x", r#"Run {"debug":true,"fail_fast":true}"#),
        (
            "--no-use-colors --log-format json run -q",
            r#"Run {"log_format":"json","quiet":true,"use_colors":false}"#,
        ),
        ("run --fail-fast --no-fail-fast", r#"Run {"fail_fast":false}"#),
        ("run --no-fail-fast --fail-fast", r#"Run {"fail_fast":true}"#),
        ("run --threads 2 --threads 4", r#"Run {"threads":4}"#),
        ("run -f -t prod", r#"Run {"full_refresh":true,"target":"prod"}"#),
        ("run --vars '{a: 1}'", r#"Run {"vars":{"a":1}}"#),
        ("run --vars 'a: b'", r#"Run {"vars":{"a":"b"}}"#),
        ("show -s a --limit -1", r#"Show {"limit":-1,"select":["a"]}"#),
        ("compile --inline 'select 1'", r#"Compile {"inline":"select 1"}"#),
        ("docs generate --no-compile --static", r#"DocsGenerate {"compile":false,"static":true}"#),
        ("docs --target x serve --port 1", r#"DocsServe {"port":1,"target":"x"}"#),
        ("source freshness -o x.json", r#"SourceFreshness {"output":"x.json"}"#),
        ("source snapshot-freshness", r#"SourceFreshness {}"#),
        ("freshness -s source:a", r#"SourceFreshness {"select":["source:a"]}"#),
        ("run-operation m --args '{x: 3}'", r#"RunOperation {"args":{"x":3},"macro":"m"}"#),
        ("init shop -s", r#"Init {"project_name":"shop","skip_profile_setup":true}"#),
        ("ls --resource-type model --resource-types test", r#"List {"resource_types":["model","test"]}"#),
        ("run --state prod --defer", r#"Run {"defer":true,"state":"prod"}"#),
        ("test --store-failures", r#"Test {"store_failures":true}"#),
        ("retry --full-refresh", r#"Retry {"full_refresh":true}"#),
        ("clone --state x", r#"Clone {"state":"x"}"#),
        ("deps --upgrade --lock", r#"Deps {"lock":true,"upgrade":true}"#),
    ];
    for (line, expected) in cases {
        assert_eq!(set(line), expected, "{line}");
    }
}

#[test]
fn the_environment_fills_in() {
    let env = [
        ("DBT_TARGET", "prod"),
        ("DBT_ENGINE_PROFILE", "new"),
        ("DBT_PROFILE", "old"),
        ("DBT_QUIET", "1"),
        ("DBT_DEBUG", ""),
        ("DBT_RESOURCE_TYPES", "model test"),
        ("DBT_NO_PRINT", "1"),
        ("DBT_ENGINE_NO_SUCH", "1"),
    ];
    let flags = flags_in("build --target dev", &env);
    assert_eq!(flags.target.as_deref(), Some("dev"));
    assert_eq!(flags.profile.as_deref(), Some("new"));
    assert!(flags.quiet && !flags.debug && !flags.print);
    assert_eq!(flags.resource_types, ["model", "test"]);
    let codes: Vec<_> = flags.notices.iter().map(|notice| notice.code).collect();
    assert_eq!(codes, ["EnvironmentVariableRenamed", "EnvironmentVariableNamespaceDeprecation"]);
}

#[test]
fn wrong_values_in_the_environment_are_told() {
    let stop = parse(&words("run"), &surroundings(&[("DBT_LOG_LEVEL", "loud")])).unwrap_err();
    let Stop::Usage(text) = stop else { panic!("{stop:?}") };
    assert!(text.contains("the environment variable DBT_LOG_LEVEL: 'loud' is not one of"), "{text}");
}

#[test]
fn wrong_lines_are_refused() {
    let lines = [
        "bild",
        "nope",
        "docs generat",
        "run --sel one",
        "run --full-refesh",
        "run --nope",
        "run extra",
        "run --select",
        "run --threads x",
        "run --threads -1",
        "run --log-level loud",
        "run --vars a",
        "run --inline x",
        "run-operation",
        "docs nope",
        "docs generate --prt 3",
        "--quiet run --quiet",
        "run --project-dir /no/such/folder",
        "run --no-full-refresh",
        "deps --source svn",
    ];
    let refusals: Vec<String> =
        lines.iter().map(|line| format!("$ rbt {line}\n{}\n", refusal(line))).collect();
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn args_of_artifacts_are_those_of_the_command() {
    let mut flags = flags("build --select a --full-refresh");
    flags.with_project_flags(&Map::new()).unwrap();
    let mut args = flags.args();
    args.sort_keys();
    insta::assert_snapshot!(serde_json::to_string_pretty(&args).unwrap());
}

#[test]
fn retry_repeats_the_earlier_command() {
    let mut earlier = flags("build --select a --vars '{x: 1}' --threads 2 --target-path t");
    earlier.with_project_flags(&Map::new()).unwrap();
    let retry = flags("retry --threads 8");
    let again = retried(&retry, &earlier.args()).unwrap();
    assert_eq!(
        (again.which, again.select.as_slice(), again.threads),
        (Command::Build, &["a".into()][..], Some(8))
    );
    assert_eq!((again.vars["x"].clone(), again.target_path.clone()), (json!(1), None));
    assert_eq!(again.invocation_command, "rbt retry --threads 8");
    let listed = flags("ls");
    assert!(retried(&retry, &listed.args()).unwrap_err().message().contains("cannot be retried"));
}

#[test]
fn help_teaches() {
    let mut command = help::command("rbt").term_width(100);
    insta::assert_snapshot!("help", command.render_help().to_string());
    for (name, snapshot) in [("build", "help_build"), ("docs", "help_docs"), ("init", "help_init")] {
        let sub = command.find_subcommand_mut(name).unwrap();
        insta::assert_snapshot!(snapshot, sub.render_help().to_string());
    }
}

#[test]
fn every_option_is_a_flag() {
    let flags = serde_json::to_value(Flags::default()).unwrap();
    for opt in COMMANDS.iter().flat_map(options) {
        assert!(flags.get(opt.name).is_some(), "{}", opt.name);
    }
    help::command("rbt").debug_assert();
}

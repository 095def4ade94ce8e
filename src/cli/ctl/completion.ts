/** Completion of the command line by shells, from the tables of settings and of commands. Pure. */
import { settingEntries } from "../../config/settings.ts";
import { logLevels } from "../../log/lines/line-format.ts";
import { helpRows, optionEntries, type Shell, shells } from "./words.ts";

/** Which words may stand behind which others, of a command; an empty text is for the first. */
type Words = ReadonlyMap<string, readonly string[]>;

/** Words that stand behind a command for its argument. */
const choices: Readonly<Record<string, readonly string[]>> = {
  shutdown: ["graceful", "quick"],
  "log-level": logLevels,
  completion: shells,
};

function commandWords(): Words {
  const words = new Map<string, string[]>([["", []]]);
  const add = (behind: string, word: string) => {
    const all = words.get(behind) ?? [];
    if (!all.includes(word)) words.set(behind, [...all, word]);
  };
  for (const [usage] of helpRows()) {
    // In capitals, or in brackets, stands what isn't a word itself.
    const [first = "", second = ""] = usage
      .split(" ")
      .filter((word) => /^[a-z][a-z-]*$/.test(word));
    add("", first);
    if (second !== "") add(first, second);
  }
  for (const [command, all] of Object.entries(choices)) for (const word of all) add(command, word);
  return words;
}

function serverFlags(): string[] {
  const rows = settingEntries.filter(([, { status }]) => status === "works");
  return rows.flatMap(([, { flags = [] }]) => flags.map(({ long }) => long));
}

const ctlFlags = optionEntries.map(([name]) => `--${name}`);

/** The script for a shell: to be read by its start-up file. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return bash();
    case "zsh":
      return zsh();
    case "fish":
      return fish();
    default:
      return shell satisfies never;
  }
}

/** The words behind `ctl` that are no options, as a case of the shell. */
function cases(): string {
  return [...commandWords()]
    .map(([behind, words]) => `      "${behind}") candidates="${words.join(" ")}" ;;`)
    .join("\n");
}

function bash(): string {
  return `# bash completion for gunicorn-ts: source <(gunicorn-ts ctl completion bash)
_gunicorn_ts() {
  local current="\${COMP_WORDS[COMP_CWORD]}" candidates="" at before=()
  if [ "\${COMP_WORDS[1]}" = ctl ] && [ "$COMP_CWORD" -gt 1 ]; then
    for ((at = 2; at < COMP_CWORD; at++)); do
      case "\${COMP_WORDS[at]}" in -*) ;; *) before+=("\${COMP_WORDS[at]}") ;; esac
    done
    case "\${before[*]}" in
${cases()}
    esac
    case "$current" in -*) candidates="${ctlFlags.join(" ")}" ;; esac
  else
    case "$current" in
      -*) candidates="${serverFlags().join(" ")}" ;;
      *) [ "$COMP_CWORD" -eq 1 ] && candidates=ctl ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current")
}
complete -o default -F _gunicorn_ts gunicorn-ts
`;
}

function zsh(): string {
  return `#compdef gunicorn-ts
# zsh completion for gunicorn-ts: source <(gunicorn-ts ctl completion zsh)
_gunicorn_ts() {
  local current="\${words[CURRENT]}" candidates="" word
  local -a before
  if [[ "\${words[2]}" == ctl && $CURRENT -gt 2 ]]; then
    for word in "\${(@)words[3,CURRENT-1]}"; do
      [[ "$word" == -* ]] || before+=("$word")
    done
    case "\${before[*]}" in
${cases()}
    esac
    [[ "$current" == -* ]] && candidates="${ctlFlags.join(" ")}"
  elif [[ "$current" == -* ]]; then
    candidates="${serverFlags().join(" ")}"
  elif [[ $CURRENT -eq 2 ]]; then
    candidates=ctl
  fi
  compadd -- \${=candidates}
  [[ -n "$candidates" && "$candidates" != ctl ]] || _files
}
compdef _gunicorn_ts gunicorn-ts
`;
}

function fish(): string {
  const outside = "not __fish_seen_subcommand_from ctl";
  const lines = [...commandWords()].map(([behind, words]) => {
    const condition = `__gunicorn_ts_behind '${behind}'`;
    return `complete -c gunicorn-ts -n "${condition}" -f -a '${words.join(" ")}'`;
  });
  const options = optionEntries.map(([name, { short, metavar, description }]) => {
    const shortWord = short === null ? "" : ` -s ${short}`;
    const takes = metavar === null ? "" : " -r";
    return `complete -c gunicorn-ts -n '__fish_seen_subcommand_from ctl' -l ${name}${shortWord}${takes} -d '${description.replaceAll("'", "\\'")}'`;
  });
  const flags = serverFlags().map(
    (flag) => `complete -c gunicorn-ts -n '${outside}' -l ${flag.slice(2)}`,
  );
  return `# fish completion for gunicorn-ts: gunicorn-ts ctl completion fish | source
function __gunicorn_ts_behind
  set -l words (commandline -opc)
  test (count $words) -ge 2; and test $words[2] = ctl; or return 1
  set -l before
  for word in $words[3..-1]
    string match -q -- '-*' $word; or set -a before $word
  end
  test "$before" = "$argv[1]"
end
complete -c gunicorn-ts -n __fish_use_subcommand -a ctl -d 'Commands to a running server'
${[...lines, ...options, ...flags].join("\n")}
`;
}

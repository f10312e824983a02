import { Argument, Command } from "commander";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];
/** The command that prints names. */
const NAMES = "names";

/** `partyline completion SHELL`: prints what the shell reads to complete commands, options and names. @param program whose they are. */
export function completionCommand(program: () => Command): Command {
  return new Command("completion")
    .description("print completions of commands, options and names for a shell")
    .addArgument(new Argument("<shell>", "whose completions").choices(SHELLS))
    .addHelpText(
      "after",
      `
The shell completes a command of the name partyline, so give npx's a name first. Rooms, calls, recordings and the like are
completed, too, as the API knows them, if PARTYLINE_URL, PARTYLINE_TENANT and ADMIN_TOKEN are in the environment:

  bash  alias partyline='npx partyline'; source <(npx partyline completion bash)
  zsh   alias partyline='npx partyline'; source <(npx partyline completion zsh)
  fish  alias partyline 'npx partyline'; npx partyline completion fish | source`,
    )
    .action((shell: Shell) => console.log(scripts[shell](pathsOf(program()))));
}

/** A command by the words that lead to it, the words that may follow, and whether some of its arguments are names that the API knows. */
interface Path {
  words: string[];
  next: { word: string; about: string }[];
  has_names: boolean;
}

/** The program and all commands in it, the shorter paths first. */
function pathsOf(program: Command): Path[] {
  const paths: Path[] = [];
  const pending: { command: Command; words: string[] }[] = [{ command: program, words: [] }];
  for (let here = pending.shift(); here !== undefined; here = pending.shift()) {
    const { command, words } = here;
    // What completion itself asks is not for people.
    const commands = command.commands.filter((one) => one.name() !== NAMES);
    const inner = commands.map((one) => ({ word: one.name(), about: one.description() }));
    const options = command.options.map(({ long, short, description }) => ({
      word: long ?? short ?? "",
      about: description,
    }));
    const has_names = command.options.some(({ envVar }) => envVar !== undefined);
    paths.push({ words, next: [...inner, ...options, { word: "--help", about: "show help" }], has_names });
    pending.push(...commands.map((one) => ({ command: one, words: [...words, one.name()] })));
  }
  return paths;
}

const scripts: Record<Shell, (paths: readonly Path[]) => string> = { bash, zsh, fish };

/** Files are completed where no word fits. */
function bash(paths: readonly Path[]): string {
  return `_partyline() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= word words names= name
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${casesOf(paths, (path) => `      ${path}) path="$path $word" ;;`)}
    esac
  done
  case "$path" in
${paths.map(({ words, next, has_names }) => `    "${prefixed(words)}") words="${next.map(({ word }) => word).join(" ")}"${has_names ? " names=1" : ""} ;;`).join("\n")}
  esac
  COMPREPLY=()
  if [[ $names && $current != -* ]]; then
    while IFS= read -r name; do
      # What a caller may have named runs as no command.
      printf -v name %q "$name"
      COMPREPLY+=("$name")
    done < <(partyline ${NAMES} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  fi
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _partyline partyline`;
}

function zsh(paths: readonly Path[]): string {
  return `#compdef partyline
_partyline() {
  local here= word has_names=
  local -a next names
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$here $word" in
${casesOf(paths, (path) => `      ${path}) here="$here $word" ;;`)}
    esac
  done
  case "$here" in
${paths.map(({ words, next, has_names }) => `    "${prefixed(words)}") next=(${next.map(({ word, about }) => quoted(`${word}:${about}`)).join(" ")})${has_names ? " has_names=1" : ""} ;;`).join("\n")}
  esac
  if [[ -n $has_names && \${words[CURRENT]} != -* ]]; then
    names=("\${(@f)$(partyline ${NAMES} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
    names=(\${names:#})
    (( \${#names} )) && compadd -a names && return
  fi
  _describe 'partyline' next || _files
}
compdef _partyline partyline`;
}

function fish(paths: readonly Path[]): string {
  return paths
    .flatMap(({ words, next, has_names }) => {
      const names = next.filter(({ word }) => !word.startsWith("-")).map(({ word }) => word);
      const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
      const unseen = names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(" ")}`];
      const when = quoted([...seen, ...unseen].join("; and "));
      const own = next.map(({ word, about }) => {
        const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
        return `complete -c partyline -n ${when} ${what} -d ${quoted(about)}`;
      });
      const asked = `'(partyline ${NAMES} -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`;
      return has_names ? [...own, `complete -c partyline -n ${when} -f -a ${asked}`] : own;
    })
    .join("\n");
}

function casesOf(paths: readonly Path[], line: (path: string) => string): string {
  const known = paths.filter(({ words }) => words.length > 0).map(({ words }) => `"${prefixed(words)}"`);
  return line(known.join("|"));
}

/** ` pins add`. */
function prefixed(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join("");
}

/** For all three shells: fish knows \\' in quotes, the others end them for it, so a plain ’ stands for it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

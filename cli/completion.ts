import { Argument, Command } from "commander";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** `partyline completion SHELL`: prints what the shell reads to complete commands and options. @param program whose they are. */
export function completionCommand(program: () => Command): Command {
  return new Command("completion")
    .description("print completions of commands and options for a shell")
    .addArgument(new Argument("<shell>", "whose completions").choices(SHELLS))
    .addHelpText(
      "after",
      `
The shell completes a command of the name partyline, so give npx's a name first:

  bash  alias partyline='npx partyline'; source <(npx partyline completion bash)
  zsh   alias partyline='npx partyline'; source <(npx partyline completion zsh)
  fish  alias partyline 'npx partyline'; npx partyline completion fish | source`,
    )
    .action((shell: Shell) => console.log(scripts[shell](pathsOf(program()))));
}

/** A command by the words that lead to it, and the words that may follow. */
interface Path {
  words: string[];
  next: { word: string; about: string }[];
}

/** The program and all commands in it, the shorter paths first. */
function pathsOf(program: Command): Path[] {
  const paths: Path[] = [];
  const pending: { command: Command; words: string[] }[] = [{ command: program, words: [] }];
  for (let here = pending.shift(); here !== undefined; here = pending.shift()) {
    const { command, words } = here;
    const inner = command.commands.map((one) => ({ word: one.name(), about: one.description() }));
    const options = command.options.map(({ long, short, description }) => ({
      word: long ?? short ?? "",
      about: description,
    }));
    paths.push({ words, next: [...inner, ...options, { word: "--help", about: "show help" }] });
    pending.push(...command.commands.map((one) => ({ command: one, words: [...words, one.name()] })));
  }
  return paths;
}

const scripts: Record<Shell, (paths: readonly Path[]) => string> = { bash, zsh, fish };

/** Files are completed where no word fits. */
function bash(paths: readonly Path[]): string {
  return `_partyline() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${casesOf(paths, (path) => `      ${path}) path="$path $word" ;;`)}
    esac
  done
  case "$path" in
${paths.map(({ words, next }) => `    "${prefixed(words)}") words="${next.map(({ word }) => word).join(" ")}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _partyline partyline`;
}

function zsh(paths: readonly Path[]): string {
  return `#compdef partyline
_partyline() {
  local here= word
  local -a next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$here $word" in
${casesOf(paths, (path) => `      ${path}) here="$here $word" ;;`)}
    esac
  done
  case "$here" in
${paths.map(({ words, next }) => `    "${prefixed(words)}") next=(${next.map(({ word, about }) => quoted(`${word}:${about}`)).join(" ")}) ;;`).join("\n")}
  esac
  _describe 'partyline' next || _files
}
compdef _partyline partyline`;
}

function fish(paths: readonly Path[]): string {
  return paths
    .flatMap(({ words, next }) => {
      const names = next.filter(({ word }) => !word.startsWith("-")).map(({ word }) => word);
      const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
      const unseen = names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(" ")}`];
      const when = quoted([...seen, ...unseen].join("; and "));
      return next.map(({ word, about }) => {
        const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
        return `complete -c partyline -n ${when} ${what} -d ${quoted(about)}`;
      });
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

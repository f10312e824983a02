import { styleText } from "node:util";
import { Command } from "commander";
import { checks, type DoctorReply, type Finding, type Observed } from "../shared/api/doctor.ts";
import { type Asked, askDoctor } from "./ask-doctor.ts";
import { plain } from "./plain.ts";

interface DoctorOptions {
  json?: true;
  observations?: true;
}

/** `partyline doctor URL`: exit code 0 where all is right, 1 where something is wrong, 2 where it could not be asked. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("say what is wrong between a number and its conference; places no call")
    .argument("<url>", "the webhook's URL as pasted at SignalWire: https://…/hooks/<tenant>/swml or …/cxml")
    .option("--json", "one JSON object for machines")
    .option(
      "--observations",
      "what your project has shown of what SignalWire leaves open; no numbers, names or ids",
    )
    .addHelpText(
      "after",
      `
The Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.

Exit codes: 0 all is right, 1 something is wrong, 2 the Worker could not be asked.`,
    )
    .action(async (url: string, { json, observations }: DoctorOptions) => {
      const { ADMIN_TOKEN: token = "" } = process.env;
      const asked = await askDoctor(url, token);
      if (observations && asked.ok) {
        const observed = asked.reply.observations ?? [];
        console.log(
          json ? JSON.stringify({ observations: observed }) : observed.map(observedLine).join("\n"),
        );
        return;
      }
      if (json) console.log(JSON.stringify(asked.ok ? asked.reply : { ok: false, error: asked.error }));
      else say(asked);
      if (!asked.ok) process.exitCode = 2;
      else if (!asked.reply.ok) process.exitCode = 1;
    });
}

function say(asked: Asked): void {
  if (asked.ok) console.log(textOf(asked.reply));
  else console.error(`error: ${plain(asked.error.message)}`);
}

/** Seen on your project, or not yet seen and so assumed. */
function observedLine({ asks, seen, assumed }: Observed): string {
  if (seen.length === 0) return `${styleText("dim", "·")} ${asks} Not yet seen; assumed: ${assumed}.`;
  const readings = seen.map(({ reading, times, last_at }) => {
    const last = new Date(last_at).toISOString().slice(0, 16).replace("T", " ");
    return `${plain(reading)} (${times} ${times === 1 ? "time" : "times"}, last ${last} UTC)`;
  });
  return `${styleText("green", "✓")} ${asks} Seen: ${readings.join("; ")}.`;
}

function textOf({ findings, ok }: DoctorReply): string {
  const lines = findings.map(lineOf);
  const missing = checks.filter((check) => !findings.some((finding) => finding.check === check));
  if (missing.length > 0) {
    lines.push(styleText("dim", `- not looked at: ${missing.join(", ")}. First fix what is wrong above.`));
  }
  const wrong = findings.filter((finding) => !finding.ok).length;
  lines.push("", ok ? "All is right." : `${wrong} ${wrong === 1 ? "thing is" : "things are"} wrong.`);
  return lines.join("\n");
}

/** `styleText` colours for a terminal alone, and heeds NO_COLOR. */
function lineOf({ check, ok, message, fix }: Finding): string {
  const mark = ok
    ? fix === undefined
      ? styleText("green", "✓")
      : styleText("yellow", "!")
    : styleText("red", "✗");
  const line = `${mark} ${check.padEnd(9)}  ${plain(message)}`;
  return fix === undefined ? line : `${line}\n             → ${plain(fix)}`;
}

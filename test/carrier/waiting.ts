import * as z from "zod";
import { callView } from "./control-views.ts";
import { contains } from "./journal.ts";
import type { Project } from "./project.ts";

export const waitSchema = z.strictObject({
  journal: z
    .strictObject({ kind: z.string().optional(), contains: z.record(z.string(), z.unknown()).default({}) })
    .optional(),
  call: z
    .strictObject({
      call_id: z.string(),
      /** The name of the conference that it is in; null: in none. */
      in_conference: z.string().nullable().optional(),
      state: z.string().optional(),
      heard: z.strictObject({ sound: z.string().optional(), contains: z.string().optional() }).optional(),
      stranded: z.boolean().optional(),
    })
    .optional(),
  /** Only journal entries after this one count. */
  after: z.number().int().min(0).default(0),
  timeout_ms: z.number().int().min(1).max(60_000).default(4000),
});

export type WaitFor = z.input<typeof waitSchema>;

/** Resolves when everything asked for is true, or with what was seen instead when the time is over. */
export function waitFor(
  project: Project,
  asked: z.output<typeof waitSchema>,
): Promise<{ seen: boolean; what: Record<string, unknown> }> {
  return new Promise((resolve) => {
    const check = () => {
      const seen = lookFor(project, asked);
      if (seen === null) return;
      done();
      resolve({ seen: true, what: seen });
    };
    const done = () => {
      clearTimeout(timer);
      unwatch();
    };
    const unwatch = project.journal.watch(check);
    const timer = setTimeout(() => {
      done();
      resolve({ seen: false, what: whatWasSeen(project, asked) });
    }, asked.timeout_ms);
    check();
  });
}

function lookFor(project: Project, asked: z.output<typeof waitSchema>): Record<string, unknown> | null {
  const found: Record<string, unknown> = {};
  if (asked.journal !== undefined) {
    const { kind, contains: part } = asked.journal;
    const entry = project.journal.after(asked.after, kind).find((one) => contains(one, part));
    if (entry === undefined) return null;
    found["entry"] = entry;
  }
  if (asked.call !== undefined) {
    const call = project.calls.get(asked.call.call_id);
    if (call === undefined) return null;
    const view = callView(call);
    const { in_conference, state, heard, stranded } = asked.call;
    if (in_conference !== undefined && view.conference !== in_conference) return null;
    if (state !== undefined && view.state !== state) return null;
    if (stranded !== undefined && view.stranded !== stranded) return null;
    if (heard !== undefined) {
      const some = view.heard.some(
        ({ sound, detail }) =>
          (heard.sound === undefined || sound === heard.sound) && detail.includes(heard.contains ?? ""),
      );
      if (!some) return null;
    }
    found["call"] = view;
  }
  return found;
}

function whatWasSeen(project: Project, asked: z.output<typeof waitSchema>): Record<string, unknown> {
  const call = asked.call === undefined ? undefined : project.calls.get(asked.call.call_id);
  return {
    error: "not seen in time",
    asked,
    ...(call === undefined ? {} : { call: callView(call) }),
    ...(asked.journal === undefined
      ? {}
      : { journal: project.journal.after(asked.after, asked.journal.kind).slice(-20) }),
    violations: project.journal.after(0, "violation").slice(-5),
  };
}

import type { z } from "zod";
import {
  conferenceAttributes,
  dialAttributes,
  gatherAttributes,
  hangupAttributes,
  joinParams,
  pauseAttributes,
  playAttributes,
  redirectAttributes,
  rejectAttributes,
  responseAttributes,
  sayAttributes,
} from "./attributes.ts";
import { readXml, type XmlElement } from "./xml.ts";

/** What may stand inside a `<Gather>`. */
export type Prompt =
  | { readonly verb: "Say"; readonly text: string; readonly loop: number }
  | { readonly verb: "Play"; readonly url: string; readonly loop: number }
  | { readonly verb: "Pause"; readonly length: number };

export type Gather = z.output<typeof gatherAttributes> & {
  readonly verb: "Gather";
  readonly prompts: readonly Prompt[];
};

export type Dial = z.output<typeof dialAttributes> & {
  readonly verb: "Dial";
  /** The parameters of the join. */
  readonly conference: Readonly<Record<string, unknown>>;
};

export type Verb =
  | Prompt
  | Gather
  | Dial
  | { readonly verb: "Reject"; readonly reason: "rejected" | "busy" }
  | { readonly verb: "Hangup" }
  | { readonly verb: "Redirect"; readonly url: string; readonly method: "GET" | "POST" };

export interface CxmlError {
  /** Such as `Response/Dial[2]/Conference/@beep`: the second child of the response. */
  readonly path: string;
  readonly message: string;
}

export type Validation =
  | { readonly ok: true; readonly verbs: readonly Verb[] }
  | { readonly ok: false; readonly errors: readonly CxmlError[] };

/** Bytes; SignalWire reads no longer document. */
const longest_document = 64 * 1024;
/** Characters of one `<Say>`. */
const longest_say = 4096;

/** Checks a cXML document as strictly as its reference allows, attribute by attribute. Only verbs that the carrier runs are known. */
export function validateCxml(text: string): Validation {
  const bytes = Buffer.byteLength(text);
  if (bytes > longest_document) {
    return refused(`${bytes} bytes; at most ${longest_document} are read`);
  }
  const reading = readXml(text);
  if (!reading.ok) return refused(reading.error);
  const { root } = reading;
  if (root.name !== "Response") return refused(`the root is <Response>, not <${root.name}>`);
  const errors: CxmlError[] = [];
  const fail: Fail = (path, message) => {
    errors.push({ path, message });
    return null;
  };
  attributesOf(root, responseAttributes, "Response", fail);
  const verbs = elementsOf(root, "Response", fail).flatMap(
    ({ element, path }) => verbOf(element, path, fail) ?? [],
  );
  return errors.length === 0 ? { ok: true, verbs } : { ok: false, errors };
}

function refused(message: string): Validation {
  return { ok: false, errors: [{ path: "", message }] };
}

/** Notes an error; its null stands for what could not be read. */
type Fail = (path: string, message: string) => null;

function verbOf(element: XmlElement, path: string, fail: Fail): Verb | null {
  switch (element.name) {
    case "Say":
    case "Play":
    case "Pause":
      return promptOf(element, path, fail);
    case "Gather": {
      const given = attributesOf(element, gatherAttributes, path, fail);
      const prompts = elementsOf(element, path, fail).flatMap(
        (inner) => promptOf(inner.element, inner.path, fail) ?? [],
      );
      return given === null ? null : { verb: "Gather", prompts, ...given };
    }
    case "Dial":
      return dialOf(element, path, fail);
    case "Reject": {
      const given = attributesOf(element, rejectAttributes, path, fail);
      empty(element, path, fail);
      return given === null ? null : { verb: "Reject", ...given };
    }
    case "Hangup":
      attributesOf(element, hangupAttributes, path, fail);
      empty(element, path, fail);
      return { verb: "Hangup" };
    case "Redirect": {
      const given = attributesOf(element, redirectAttributes, path, fail);
      const url = urlOf(element, path, fail);
      return given === null || url === null ? null : { verb: "Redirect", url, ...given };
    }
    default:
      return fail(
        path,
        "no verb that this carrier runs; those are Say, Play, Pause, Gather, Dial, Reject, Hangup, Redirect",
      );
  }
}

function promptOf(element: XmlElement, path: string, fail: Fail): Prompt | null {
  switch (element.name) {
    case "Say": {
      const given = attributesOf(element, sayAttributes, path, fail);
      const text = textOf(element, path, fail)?.replaceAll(/\s+/g, " ") ?? null;
      if (text === null) return null;
      if (text === "") return fail(path, "nothing to say");
      if ([...text].length > longest_say) return fail(path, `at most ${longest_say} characters`);
      return given === null ? null : { verb: "Say", text, loop: given.loop };
    }
    case "Play": {
      const given = attributesOf(element, playAttributes, path, fail);
      const url = urlOf(element, path, fail);
      return given === null || url === null ? null : { verb: "Play", url, loop: given.loop };
    }
    case "Pause": {
      const given = attributesOf(element, pauseAttributes, path, fail);
      empty(element, path, fail);
      return given === null ? null : { verb: "Pause", length: given.length };
    }
    default:
      return fail(path, "only Say, Play and Pause stand in a Gather");
  }
}

function dialOf(element: XmlElement, path: string, fail: Fail): Dial | null {
  const given = attributesOf(element, dialAttributes, path, fail);
  const [inner, ...more] = elementsOf(element, path, fail);
  if (inner?.element.name !== "Conference" || more.length > 0) {
    return fail(path, "the one noun that this carrier dials is a <Conference>");
  }
  const attributes = attributesOf(inner.element, conferenceAttributes, inner.path, fail);
  const name = textOf(inner.element, inner.path, fail);
  if (name === "") return fail(inner.path, "a conference needs a name");
  if (given === null || attributes === null || name === null) return null;
  return { verb: "Dial", conference: joinParams(name, attributes), ...given };
}

function attributesOf<T extends z.ZodType>(
  { attributes }: XmlElement,
  schema: T,
  path: string,
  fail: Fail,
): z.output<T> | null {
  const parsed = schema.safeParse(Object.fromEntries(attributes));
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const names = issue.code === "unrecognized_keys" ? issue.keys : issue.path.map(String);
    for (const name of names) fail(`${path}/@${name}`, issue.message);
  }
  return null;
}

/** The elements inside, where text has no place. A path counts from 1 where an element has siblings. */
function elementsOf(
  { children }: XmlElement,
  path: string,
  fail: Fail,
): { element: XmlElement; path: string }[] {
  if (children.some((child) => typeof child === "string" && child.trim() !== "")) {
    fail(path, "no text between its elements");
  }
  const elements = children.filter((child) => typeof child !== "string");
  return elements.map((element, index) => ({
    element,
    path: `${path}/${element.name}${elements.length > 1 ? `[${index + 1}]` : ""}`,
  }));
}

function textOf({ children }: XmlElement, path: string, fail: Fail): string | null {
  const texts = children.filter((child) => typeof child === "string");
  if (texts.length < children.length) return fail(path, "text alone, no element inside");
  return texts.join("").trim();
}

function urlOf(element: XmlElement, path: string, fail: Fail): string | null {
  const url = textOf(element, path, fail);
  if (url === null || /^https?:\/\/\S+$/.test(url)) return url;
  return fail(path, "an absolute URL that begins with http:// or https://");
}

function empty({ children }: XmlElement, path: string, fail: Fail): void {
  if (children.some((child) => typeof child !== "string" || child.trim() !== ""))
    fail(path, "nothing inside");
}

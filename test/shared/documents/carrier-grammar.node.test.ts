import { describe, expect, it } from "vitest";
import { render } from "../../../shared/documents/render.ts";
import { validateDocument } from "../../carrier/swml/grammar.ts";
import { everyDocument } from "./every-document.ts";

describe("by the carrier's own grammar of SWML", () => {
  for (const [name, document] of Object.entries(everyDocument("support", { tier: "gold" }))) {
    it(`the ${name} document is valid`, () => {
      expect(validateDocument(JSON.parse(render(document).body))).toMatchObject({ ok: true });
    });
  }
});

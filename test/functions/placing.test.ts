import { expect, test } from "vitest";
import { openHouse } from "./house.ts";

const support = [{ id: "support", match: { to: "+15550100100" }, place: { room: "support" } }];
const call = { from: "+15550100001", to: "+15550100100" };

test("a signed webhook becomes a place in the conference that its rule names, joined over RELAY", async () => {
  await using house = await openHouse({ rules: support });
  const { call_id } = await house.carrier.placeCall({ ...call, url: house.webhook_url });
  await house.carrier.wait({ call: { call_id, in_conference: `${house.tenant}:support` } });
  const seen = await house.carrier.call(call_id);
  expect(seen).toMatchObject({ joined_by: "relay", stranded: false });
  expect(await house.carrier.journal({ kind: "violation" })).toEqual([]);
});

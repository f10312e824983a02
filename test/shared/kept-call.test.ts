import { describe, expect, it } from "vitest";
import type { Call } from "../../shared/call.ts";
import { keepCall } from "../../shared/kept-call.ts";

function call(named: Record<string, string>): Call {
  return {
    via: "swml",
    call_id: "c-1",
    direction: "inbound",
    type: "phone",
    from: "+15550100001",
    to: "+15550100100",
    headers: Object.fromEntries(Object.entries(named).map(([name, value]) => [name.toLowerCase(), [value]])),
    vars: named,
    params: { nested: named, ...named },
    details: {},
  };
}

describe("what is kept of a call", () => {
  const secret = [
    "pin",
    "PIN",
    "x-pin",
    "pin_2",
    "pin1",
    "userPin",
    "userPIN",
    "x-userpin",
    "pincode",
    "pin_code",
    "PinCode",
    "pinNumber",
    "otp",
    "x-otp",
    "loginOtp",
    "userotp",
    "totp",
    "cvv",
    "cvv2",
    "CVC",
    "pwd",
    "x-userpwd",
    "accesscode",
    "access_code",
    "x-access-code",
    "accessCode",
    "securityCode",
    "verification.code",
    "oneTimeCode",
    "passphrase",
    "cardNumber",
    "mfa",
    "password",
    "x-auth-token",
    "prompt_value",
  ];
  it.each(secret)("holds nothing that is called %s, in a header, a var or a param, at any depth", (name) => {
    const { call: kept, left_out } = keepCall(call({ [name]: "0815" }));
    expect(JSON.stringify(kept)).not.toContain("0815");
    expect(left_out).toContain(`vars.${name}`);
  });

  it.each([
    "x-tier",
    "shipping",
    "pinned",
    "x-opinion",
    "topic",
    "ping",
    "code",
    "zip_code",
    "laptops",
    "option",
  ])("holds what is called %s", (name) => {
    expect(keepCall(call({ [name]: "0815" })).left_out).toEqual([]);
  });
});

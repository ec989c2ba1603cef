/** One result whose code the laboratory writes as `code^text^system`. */
export const oneResult = (obx3: string): Uint8Array =>
  new TextEncoder().encode(
    [
      'MSH|^~\\&|LAB|TESTLAB|EHR|TESTHOSP|20261103073000+0200||ORU^R01^ORU_R01|M1|P|2.5.1',
      'PID|1||38001010001^^^&1.3.6.1.4.1.28284.6.2.2.1&ISO^NI||Test^Isik||19800101|F',
      'OBR|1||F1|24323-8^Panel^LN|||20261103070000+0200||||||||||||||||||F',
      `OBX|1|NM|${obx3}||5.4|mmol/l|||||F|||20261103070000+0200`,
      '',
    ].join('\r'),
  );

#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// qrread.mjs <SCREEN: print the text of the QR code that SCREEN shows in half
// blocks, light modules painted.  Reads what we draw and no more: versions 1
// to 5, level L, one byte segment, no damage (ISO/IEC 18004).

import fs from 'node:fs';

const HALVES = { ' ': [1, 1], '▀': [0, 1], '▄': [1, 0], '█': [0, 0] };
const LEVEL_L = 1;
const MASKS = [
  (r, c) => (r + c) % 2,
  (r) => r % 2,
  (r, c) => c % 3,
  (r, c) => (r + c) % 3,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2,
  (r, c) => (r * c) % 2 + (r * c) % 3,
  (r, c) => ((r * c) % 2 + (r * c) % 3) % 2,
  (r, c) => ((r + c) % 2 + (r * c) % 3) % 2,
];

// The modules, 1 for dark, without the quiet zone.
function modules(screen) {
  const lines = screen.split('\n').filter((l) => /^█[█▀▄ ]*█$/.test(l));
  const rows = lines.flatMap((l) => [0, 1].map((half) =>
    [...l].map((ch) => HALVES[ch][half])));
  const dark = rows.flatMap((row, r) => row.includes(1) ? [r] : []);
  const left = rows[dark[0]].indexOf(1);
  const size = rows[dark[0]].lastIndexOf(1) - left + 1;

  return rows.slice(dark[0], dark[0] + size)
    .map((row) => row.slice(left, left + size));
}

// Whether a module holds no data: finders, format, timing, alignment.
function fixed(size, r, c) {
  const far = size - 9; // centre of the one alignment pattern is there + 2

  return (r < 9 && (c < 9 || c >= size - 8)) || (r >= size - 8 && c < 9)
    || r === 6 || c === 6
    || (size > 21 && r >= far && r < far + 5 && c >= far && c < far + 5);
}

// The data bits, in the zigzag of the standard, mask taken off.
function data(m, mask) {
  const size = m.length;
  const bits = [];
  let up = true;

  for (let right = size - 1; right > 0; right -= 2, up = !up) {
    if (right === 6)
      right -= 1;
    for (let i = 0; i < size; i += 1)
      for (const c of [right, right - 1]) {
        const r = up ? size - 1 - i : i;

        if (!fixed(size, r, c))
          bits.push(m[r][c] ^ (mask(r, c) === 0 ? 1 : 0));
      }
  }
  return bits;
}

const number = (bits, from, n) =>
  bits.slice(from, from + n).reduce((v, b) => v * 2 + b, 0);

const m = modules(fs.readFileSync(0, 'utf8'));
const version = (m.length - 17) / 4;
// The first five bits of the format, left of the upper left finder's corner.
const format = number([0, 1, 2, 3, 4].map((c) => m[8][c]), 0, 5) ^ 0b10101;
if (![1, 2, 3, 4, 5].includes(version) || format >> 3 !== LEVEL_L)
  throw new Error(`version ${version}, format ${format}`);
const bits = data(m, MASKS[format & 7]);
if (number(bits, 0, 4) !== 4)
  throw new Error('no byte segment');
const bytes = Array.from({ length: number(bits, 4, 8) },
  (_, i) => number(bits, 12 + 8 * i, 8));
console.log(Buffer.from(bytes).toString('latin1'));

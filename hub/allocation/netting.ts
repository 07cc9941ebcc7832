import { type Forest, real } from './forest.ts';

/**
 * Step 5a of fo 8.3 for imports: bounds such that Σ max(P, 0) ≤ room whatever share is chosen. Wishes go first
 * (`H' = L⁺ + γ(H⁺ − L⁺)`, the largest γ); needs that do not fit even so are cut in proportion.
 */
export function scaleImports(forest: Forest, cells: readonly number[], room: number): void {
  let needs = 0;
  let wishes = 0;
  for (const cell of cells) {
    needs += Math.max(real(forest.need, cell), 0);
    wishes += Math.max(real(forest.wish, cell), 0);
  }
  if (wishes <= room) return;
  const gamma = needs < room ? (room - needs) / (wishes - needs) : 0;
  const rho = needs > room ? Math.max(room, 0) / needs : 1;
  for (const cell of cells) {
    const [lo, need, wish] = boundsOf(forest, cell);
    if (wish <= 0) continue;
    const scaled = Math.max(need, 0) * rho;
    forest.setBounds(cell, lo, need > 0 ? scaled : need, scaled + gamma * (wish - scaled));
  }
}

/** The same for exports: `L' = δ·L` for negative needs, and the reach of cuts (`lo`) as far as there is room. */
export function scaleExports(forest: Forest, cells: readonly number[], room: number): void {
  let needs = 0;
  let reach = 0;
  for (const cell of cells) {
    needs += Math.max(-real(forest.need, cell), 0);
    reach += Math.max(-real(forest.lo, cell), 0);
  }
  if (reach <= room) return;
  const space = Math.max(room, 0);
  const delta = needs > space ? space / needs : 1;
  const gamma = needs < space ? (space - needs) / (reach - needs) : 0;
  for (const cell of cells) {
    const [lo, need, wish] = boundsOf(forest, cell);
    if (lo >= 0) continue;
    const scaled = Math.max(-need, 0) * delta;
    const newNeed = need < 0 ? -scaled : need;
    forest.setBounds(cell, -(scaled + gamma * (-lo - scaled)), newNeed, Math.max(wish, newNeed));
  }
}

function boundsOf(forest: Forest, cell: number): [number, number, number] {
  return [real(forest.lo, cell), real(forest.need, cell), real(forest.wish, cell)];
}

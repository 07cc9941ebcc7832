/** Where mapping files come from. Both functions may throw; a missing folder is an empty one. */
export interface FileSource {
  /** Relative paths of all files below, with `/`. */
  list(dir: string): readonly string[];
  read(path: string): string;
}

export const pathOf = (root: string, relative: string): string => `${root.replace(/\/+$/, '')}/${relative}`;

/** Builds small images in `<folder>/seeds` and what some of them want in `<folder>`. @returns the images */
export function buildSeeds(folder: string): readonly string[];

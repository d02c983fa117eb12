export async function drawCurves(..._all: unknown[]): Promise<void> {}

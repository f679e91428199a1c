/**
 * Stands in for the WebAssembly decoder of meshopt-compressed models, which loaders.gl would start at once and which our
 * content policy forbids. Polder's own 3D Tiles are not compressed that way.
 */
export const MeshoptDecoder = { supported: false, ready: Promise.resolve() };

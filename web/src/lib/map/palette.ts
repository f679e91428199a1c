/** The colours of the basemap, light and dark. Calm on purpose: the data must be the brightest thing on the map. */
export interface Palette {
  land: string;
  water: string;
  shore: string;
  road: string;
  roadEdge: string;
  main: string;
  mainEdge: string;
  motorway: string;
  motorwayEdge: string;
  path: string;
  rail: string;
  railGap: string;
  building: string;
  buildingEdge: string;
  building3d: string;
  label: string;
  labelQuiet: string;
  halo: string;
  area: string;
  selected: string;
  dotEdge: string;
  skyTop: string;
  skyLow: string;
}

export const light: Palette = {
  land: '#f4f2ed',
  water: '#bfd8e4',
  shore: '#a8c8d8',
  road: '#ffffff',
  roadEdge: '#dedad1',
  main: '#fff9ea',
  mainEdge: '#dccfae',
  motorway: '#fbe3ad',
  motorwayEdge: '#d9b970',
  path: '#dbd5c8',
  rail: '#b5b0a6',
  railGap: '#f4f2ed',
  building: '#e6e1d8',
  buildingEdge: '#d3ccbf',
  building3d: '#e9e4db',
  label: '#37424d',
  labelQuiet: '#5d6874',
  halo: '#f8f7f3',
  area: '#8b93a1',
  selected: '#00568b',
  dotEdge: '#ffffff',
  skyTop: '#9cc4dc',
  skyLow: '#eef3f5',
};

export const dark: Palette = {
  land: '#171c22',
  water: '#0e2536',
  shore: '#1b3a50',
  road: '#2c343d',
  roadEdge: '#12161b',
  main: '#3a444f',
  mainEdge: '#12161b',
  motorway: '#57503c',
  motorwayEdge: '#15181b',
  path: '#262d35',
  rail: '#49525c',
  railGap: '#171c22',
  building: '#20272f',
  buildingEdge: '#2d3640',
  building3d: '#2b343e',
  label: '#cfd8e0',
  labelQuiet: '#94a1ad',
  halo: '#12171c',
  area: '#6b7785',
  selected: '#7cc6f5',
  dotEdge: '#12171c',
  skyTop: '#0a1017',
  skyLow: '#1c2732',
};

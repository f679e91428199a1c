/** Dutch texts about plans as files. */
export const crowdFilesNl = {
  'crowd.files.title': 'Plan als bestand',
  'crowd.files.export': 'Plan opslaan als GeoJSON',
  'crowd.files.import': 'GeoJSON inlezen',
  'crowd.files.hint':
    'Vlakken worden gebieden en lijnen worden poorten. De eigenschappen heten zoals in een opgeslagen plan. Klopt er iets niet, dan wordt niets ingelezen.',
  'crowd.files.file': 'Bestand (WGS 84, graden)',
  'crowd.files.replace': 'Vervang wat er al staat onder dezelfde sleutel',
  'crowd.files.submit': 'Inlezen',
  'crowd.files.imported': 'Ingelezen: {n}.',
  'crowd.files.unreadable': 'Dit bestand is geen GeoJSON met features.',
  'crowd.files.feature': 'Feature {n}, {thing}: {text} ({remedy})',
} as const;

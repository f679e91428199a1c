/** English texts about plans as files. */
export const crowdFilesEn = {
  'crowd.files.title': 'Plan as a file',
  'crowd.files.export': 'Save the plan as GeoJSON',
  'crowd.files.import': 'Read in GeoJSON',
  'crowd.files.hint':
    'Polygons become areas and lines become gates. Properties are named as in a saved plan. When something is wrong, nothing is read in.',
  'crowd.files.file': 'File (WGS 84, degrees)',
  'crowd.files.replace': 'Replace what is there under the same key',
  'crowd.files.submit': 'Read in',
  'crowd.files.imported': 'Read in: {n}.',
  'crowd.files.unreadable': 'This file is no GeoJSON with features.',
  'crowd.files.feature': 'Feature {n}, {thing}: {text} ({remedy})',
} as const;

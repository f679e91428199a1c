/** English texts about the coming hour, in plain words. */
import type { nowcastNl } from './nowcast.nl';

export const nowcastEn: Record<keyof typeof nowcastNl, string> = {
  'outlook.now': 'The next hour',
  'outlook.now.title': 'The next hour: how busy will it be?',
  'outlook.now.intro':
    'For those who must decide now. For each place: how many there just were, and what we expect in the next quarter of an hour, half hour and hour.',
  'outlook.now.asOf': 'This is what we expect for {n} of the {all} places, with counts until {time}.',
  'outlook.now.most.rises': '{name} rises most: from {from} in the last quarter of an hour to about {to} in the next.',
  'outlook.now.most.falls':
    'Nothing rises by more than its band. {name} falls most: from {from} in the last quarter of an hour to about {to} in the next.',
  'outlook.now.noneChanges': 'Nothing changes by more than its band.',
  'outlook.now.table': 'The next hour: {set}',
  'outlook.now.last': 'Last 15 minutes',
  'outlook.now.next': 'Next {n} minutes',
  'outlook.now.until': 'until {time}',
  'outlook.now.change': 'Direction',
  'outlook.now.rises': 'rises',
  'outlook.now.falls': 'falls',
  'outlook.now.same': 'about the same',
  'outlook.now.noChange': 'no comparison',
  'outlook.now.kind.count': 'Each number is how many pass in those minutes together.',
  'outlook.now.kind.occupancy': 'Each number is how many are there on average in those minutes.',
  'outlook.now.kind.rate': 'Each number is how many pass in an hour, at the pace of those minutes.',
  'outlook.now.how':
    'Below each number is the band: in 8 of 10 cases the number lies within it. The direction compares the next quarter of an hour with the last. “About the same” means that the last quarter of an hour still lies within the band.',
  'outlook.now.picture':
    'In the picture the bar is the band, the dot is what we expect and the line is the last quarter of an hour.',
  'outlook.now.order': 'Order',
  'outlook.now.order.places': 'areas, then by name',
  'outlook.now.order.rising': 'what rises most first',
  'outlook.now.order.busiest': 'the busiest first',
  'outlook.now.weekOf': '{name}: week ahead',
  'outlook.now.updated': 'There is a new forecast, with counts until {time}.',
  'outlook.now.record': 'How good was this over the last day?',
  'outlook.now.noRecord':
    'There is nothing to compare yet. There will be once the first minutes of the forecast have passed.',
  'outlook.now.off.15': 'The next quarter of an hour: off by {n}.',
  'outlook.now.off.30': 'The next half hour: off by {n}.',
  'outlook.now.off.60': 'The next hour: off by {n}.',
  'outlook.now.against': 'Saying that the last half hour goes on: off by {n}.',
  'outlook.now.inside': '{n} lay within the band',
  'outlook.now.moments': 'compared {n} times',
  'outlook.now.countsFrom': 'Counted from',
  'outlook.now.countsUntil': 'Counted until',
  'outlook.now.toNow': 'To the next hour',
  'outlook.why.step':
    'These counters give a number every {minutes} minutes. For the next hour that must be every 15 minutes at least.',
  'outlook.why.silent': 'Too little was counted in the last half hour.',
  'outlook.why.reading': 'The counts are being read. That takes a few seconds.',
  'outlook.why.too_little_past': 'Moments to learn from so far: {have}. The next hour needs {needed}.',
  'outlook.why.too_few_counts': 'Counts in the last half hour: {have}. At least {needed} are needed.',
};

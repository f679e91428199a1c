//! A Gaussian over the state of the filter: mean and covariance, and the few things that are done to them.

/// Mean and covariance. The covariance stays symmetric because every change is made to rows and columns alike.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gaussian {
    mean: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

impl Gaussian {
    /// All zero and certain.
    pub fn zero(length: usize) -> Self {
        Self { mean: vec![0.0; length], covariance: vec![vec![0.0; length]; length] }
    }

    pub fn len(&self) -> usize {
        self.mean.len()
    }

    pub fn mean(&self, place: usize) -> f64 {
        self.mean[place]
    }

    pub fn variance(&self, place: usize) -> f64 {
        self.covariance[place][place].max(0.0)
    }

    /// Mean and variance of a sum.
    pub fn sum(&self, places: &[usize]) -> (f64, f64) {
        let mean = places.iter().map(|place| self.mean[*place]).sum();
        let variance: f64 =
            places.iter().flat_map(|one| places.iter().map(|other| self.covariance[*one][*other])).sum();
        (mean, variance.max(0.0))
    }

    /// Sets one to a value that owes nothing to the others.
    pub fn pin(&mut self, place: usize, mean: f64, variance: f64) {
        self.mean[place] = mean;
        for other in 0..self.len() {
            self.covariance[place][other] = 0.0;
            self.covariance[other][place] = 0.0;
        }
        self.covariance[place][place] = variance;
    }

    /// Adds `count` x (1 + undercount) with the sign of each end: the linear transition of the filter.
    pub fn transfer(&mut self, ends: &[(usize, f64)], undercount: usize, count: f64) {
        if count == 0.0 {
            return;
        }
        let moved = count * (1.0 + self.mean[undercount]);
        self.shift(ends, moved);
        for (end, sign) in ends {
            for other in 0..self.len() {
                let added = sign * count * self.covariance[undercount][other];
                self.covariance[*end][other] += added;
            }
        }
        for (end, sign) in ends {
            for row in &mut self.covariance {
                let added = sign * count * row[undercount];
                row[*end] += added;
            }
        }
    }

    /// Adds the same to each end, with its sign.
    pub fn shift(&mut self, ends: &[(usize, f64)], by: f64) {
        for (end, sign) in ends {
            self.mean[*end] += sign * by;
        }
    }

    /// Adds noise that all ends share, with their signs.
    pub fn add_noise(&mut self, ends: &[(usize, f64)], variance: f64) {
        for (one, sign) in ends {
            for (other, other_sign) in ends {
                self.covariance[*one][*other] += sign * other_sign * variance;
            }
        }
    }

    /// Kalman's correction with a measurement of a sum.
    pub fn observe(&mut self, places: &[usize], value: f64, noise: f64) {
        let (mean, variance) = self.sum(places);
        let total = variance + noise;
        if total <= 0.0 {
            return;
        }
        let with_sum: Vec<f64> =
            self.covariance.iter().map(|row| places.iter().map(|place| row[*place]).sum::<f64>()).collect();
        for (one, weight) in with_sum.iter().enumerate() {
            self.mean[one] += weight / total * (value - mean);
            for (other, other_weight) in with_sum.iter().enumerate() {
                self.covariance[one][other] -= weight * other_weight / total;
            }
        }
    }

    /// Moves one to a value and the others with it as far as they go together; certainty stays as it is.
    pub fn project(&mut self, place: usize, value: f64) {
        let variance = self.variance(place);
        let difference = value - self.mean[place];
        if variance > 0.0 {
            for other in 0..self.len() {
                self.mean[other] += self.covariance[other][place] / variance * difference;
            }
        }
        self.mean[place] = value;
    }

    /// Keeps a mean within borders.
    pub fn clamp(&mut self, place: usize, low: f64, high: f64) {
        self.mean[place] = self.mean[place].clamp(low, high);
    }
}

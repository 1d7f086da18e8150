#include "carve/cluster.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.hpp"

namespace polypace::carve {
namespace {

void add_caps(const System& system, Cluster& cluster) {
  for (const auto& cut : cluster.cuts) {
    ++cluster.n_cuts[cut.kept];
    if (system.united) continue;
    const double length = system.cap_lengths[cluster.nodes[cut.kept].atom] / norm(cut.displacement);
    cluster.bonds.push_back({cut.kept, static_cast<std::int32_t>(cluster.nodes.size())});
    cluster.nodes.push_back(cut.removed);
    cluster.positions.push_back(cluster.positions[cut.kept] + length * cut.displacement);
    cluster.cap_parents.push_back(cut.kept);
    cluster.n_cuts.push_back(0);
    cluster.core.push_back(0);
  }
}

void add_bonds(const System& system, Cluster& cluster) {
  for (std::size_t i = 0; i < cluster.n_kept; ++i)
    for (const auto& end : system.graph.ends_of(cluster.nodes[i].atom)) {
      const Node other = follow(cluster.nodes[i], end);
      if (other < cluster.nodes[i]) continue;
      const auto last = cluster.nodes.begin() + cluster.n_kept;
      const auto found = std::lower_bound(cluster.nodes.begin(), last, other);
      if (found != last && *found == other)
        cluster.bonds.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(found - cluster.nodes.begin())});
    }
}

Vec3 middle(const std::vector<Vec3>& positions, Vec3& extent) {
  Vec3 low = positions.front(), high = low;
  for (const auto& r : positions)
    for (int d = 0; d < 3; ++d) {
      low[d] = std::min(low[d], r[d]);
      high[d] = std::max(high[d], r[d]);
    }
  extent = high - low;
  return 0.5 * (low + high);
}

void move_middle_to(Cluster& cluster, const Vec3& target) {
  Vec3 extent{};
  const Vec3 offset = target - middle(cluster.positions, extent);
  for (auto& r : cluster.positions) r = r + offset;
}

std::array<Vec3, 3> face_centred(double scale) {
  const double a = scale / std::sqrt(2.0);  // nearest images lie `scale` apart
  return {Vec3{0, a, a}, Vec3{a, 0, a}, Vec3{a, a, 0}};
}

// Half of the lattice translations that could bring images into contact; the other half are their negatives.
std::vector<Vec3> translations(double scale, double reach) {
  std::vector<Vec3> vectors;
  const auto rows = face_centred(scale);
  const int n = static_cast<int>(std::ceil(reach / scale * std::sqrt(1.5))) + 1;
  for (int i = 0; i <= n; ++i)
    for (int j = -n; j <= n; ++j)
      for (int k = -n; k <= n; ++k) {
        if (i == 0 && (j < 0 || (j == 0 && k <= 0))) continue;
        const Vec3 t = double(i) * rows[0] + double(j) * rows[1] + double(k) * rows[2];
        if (norm(t) < reach) vectors.push_back(t);
      }
  return vectors;
}

bool images_collide(const Cluster& cluster, const std::vector<double>& radii, double scale, double reach) {
  for (const auto& t : translations(scale, reach))
    for (std::size_t i = 0; i < cluster.n_atoms(); ++i) {
      const Vec3 image = cluster.positions[i] + t;
      for (std::size_t j = 0; j < cluster.n_atoms(); ++j) {
        const Vec3 r = image - cluster.positions[j];
        const double contact = radii[i] + radii[j];
        if (dot(r, r) < contact * contact) return true;
      }
    }
  return false;
}

}  // namespace

Cluster assemble(const System& system, Selection selection) {
  Cluster cluster;
  cluster.nodes = std::move(selection.nodes);
  cluster.n_kept = cluster.nodes.size();
  cluster.core = std::move(selection.core);
  cluster.cuts = std::move(selection.cuts);
  cluster.seeds = std::move(selection.seeds);
  cluster.bridged = std::move(selection.bridged);
  cluster.promoted = std::move(selection.promoted);
  cluster.n_cuts.assign(cluster.n_kept, 0);
  for (const auto& node : cluster.nodes) cluster.positions.push_back(system.position(node));
  add_bonds(system, cluster);
  add_caps(system, cluster);
  cluster.closest_contact = closest_contact(cluster);
  return cluster;
}

double closest_contact(const Cluster& cluster) {
  double least2 = std::numeric_limits<double>::infinity();
  std::vector<std::uint8_t> near(cluster.n_atoms());
  for (std::size_t c = 0; c < cluster.cap_parents.size(); ++c) {
    const std::size_t cap = cluster.n_kept + c;
    const auto parent = cluster.cap_parents[c];
    std::fill(near.begin(), near.end(), std::uint8_t{0});
    near[cap] = near[parent] = 1;
    for (const auto& [a, b] : cluster.bonds) {
      if (a == parent) near[b] = 1;
      if (b == parent) near[a] = 1;
    }
    for (std::size_t i = 0; i < cluster.n_atoms(); ++i) {
      const Vec3 r = cluster.positions[i] - cluster.positions[cap];
      if (!near[i]) least2 = std::min(least2, dot(r, r));
    }
  }
  return std::sqrt(least2);
}

void place_in_vacuum(Cluster& cluster, double vacuum) {
  Vec3 extent{};
  middle(cluster.positions, extent);
  for (int d = 0; d < 3; ++d) cluster.cell[d][d] = extent[d] + 2 * vacuum;
  move_middle_to(cluster, {0.5 * cluster.cell[0][0], 0.5 * cluster.cell[1][1], 0.5 * cluster.cell[2][2]});
}

void pack_periodically(Cluster& cluster, const std::vector<double>& contact_radii) {
  double diameter = 0;
  for (const auto& a : cluster.positions)
    for (const auto& b : cluster.positions) diameter = std::max(diameter, norm(a - b));
  const double widest = *std::max_element(contact_radii.begin(), contact_radii.end());
  const double reach = diameter + 2 * widest;
  require_numerics(widest > 0, "contact radii must be positive, got ", widest);
  double free = reach, tight = 0.5 * widest;  // no image within `free`; an atom's own image within `tight`
  while (free - tight > 1e-3) {
    const double scale = 0.5 * (free + tight);
    (images_collide(cluster, contact_radii, scale, reach) ? tight : free) = scale;
  }
  cluster.cell = face_centred(free);
  cluster.periodic = true;
  move_middle_to(cluster, 0.5 * (cluster.cell[0] + cluster.cell[1] + cluster.cell[2]));
}

}  // namespace polypace::carve

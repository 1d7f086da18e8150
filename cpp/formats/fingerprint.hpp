// Which potential an active set was made for, as a note in its file that other programs skip (the comment of the archive).
#pragma once

#include <string>

#include "ace/potential.hpp"

namespace polypace::formats {

enum class ActiveSetKind { linear, full };

// "polypace linear 0123456789abcdef": a hash (FNV-1a, 64 bits) of all that a row of the active set depends on: elements,
// radial functions and functions; for a full set also embeddings and coefficients. Core repulsion, e0 and metadata change
// no row, nor do the coefficients that of a linear set.
std::string active_set_note(const ace::BPotential& potential, ActiveSetKind kind);

// Throws std::invalid_argument naming `source` when `note` is that of another potential; a note that is empty or of another
// program says nothing.
void check_active_set_note(const std::string& note, const ace::BPotential& potential, const std::string& source);

}  // namespace polypace::formats

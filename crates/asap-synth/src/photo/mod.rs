//! Photographs, corrupted in their pixels.

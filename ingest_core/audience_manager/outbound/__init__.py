"""What leaves for and like Audience Manager: exports of segments, traits and ids, and files built from profiles."""

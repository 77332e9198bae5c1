//! State to cells; one file per region of the screen. Rendering writes nothing.

import streamlit as st

from seqdemo.ui.write import write

st.title("Begin a text, and three models write on", anchor=False)
write.render()
